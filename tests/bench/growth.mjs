// What the server's work costs at 1x, 10x and 100x of documents, connections, readers, history and document size, and how it
// grows: it falls, stays flat, by the logarithm, or linearly. What comes out goes into docs/benchmarks.md, between its marks.
//
//   node tests/bench/growth.mjs [KEY...]   only these (documents connections readers history catch-up size); then only printed
//   PILCROW_BENCH_SECONDS, PILCROW_BENCH_DIR, PILCROW_PROTOCOL_LOAD     as for server.mjs
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../lib/server.mjs';
import { load, servers } from './neighbours.mjs';
import { bytes, circumstances, count, micros, openPage, row } from './page.mjs';

const shortened = Number(process.env.PILCROW_BENCH_SECONDS ?? 0);
const wanted = process.argv.slice(2);
const ROUNDS = shortened ? 1 : 3;
const within = process.env.PILCROW_BENCH_DIR ?? join(root, 'build');
const NOISE = 1.5; // what grows by less over a hundredfold is called flat

const cpu = counted => m => m.server_cpu_s / m[counted];
const works = [
  { key: 'documents', name: 'documents, each with a writer: CPU of an operation', sizes: [8, 80, 800], mode: 'submit', n: x => x, args: () => ['--foretell'], value: cpu('acknowledged'), show: micros },
  { key: 'connections', name: 'idle subscribed connections: memory each', sizes: [150, 1500, 15000], mode: 'idle', n: x => x, args: () => ['--warm', 0], value: m => m.memory, show: bytes },
  { key: 'readers', name: 'readers of a document: CPU of a delivery', sizes: [10, 100, 1000], mode: 'fan-out', n: x => x, args: () => ['--foretell', '--outstanding', 8], value: cpu('told'), show: micros },
  { key: 'history', name: 'operations of history: CPU of an open', sizes: [1000, 10000, 100000], mode: 'open', n: () => 8, args: x => ['--foretell', '--history', x], value: cpu('answered'), show: micros },
  { key: 'catch-up', name: 'operations behind: CPU of each that is caught up', sizes: [1000, 10000, 100000], mode: 'catch-up', n: () => 1, args: x => ['--foretell', '--history', x], value: cpu('told'), show: micros },
  { key: 'size', name: 'characters of a document: CPU of an operation', sizes: [10000, 100000, 1000000], mode: 'submit', n: () => 8, args: x => ['--foretell', '--text', x], value: cpu('acknowledged'), show: micros },
];

const median = values => values.sort((a, b) => a - b)[values.length >> 1];

// The sum of squares that is left of the costs after the best a + b * x.
function left(xs, costs) {
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, cost] = [mean(xs), mean(costs)];
  const slope = mean(xs.map((_, i) => (xs[i] - x) * (costs[i] - cost))) / mean(xs.map(value => (value - x) ** 2));

  return mean(xs.map((value, i) => (costs[i] - cost - slope * (value - x)) ** 2));
}

function growth(sizes, costs) {
  if (costs[0] > NOISE * costs.at(-1)) return 'falls';
  if (costs.at(-1) <= NOISE * Math.min(...costs)) return 'flat';
  return left(sizes.map(Math.log), costs) < left(sizes, costs) ? 'log' : 'linear';
}

async function measureAll() {
  mkdirSync(within, { recursive: true });
  const folder = mkdtempSync(join(within, 'growth-bench-'));
  const rows = [];

  try {
    for (const { key, name, sizes, mode, n, args, value, show } of works) {
      if (wanted.length && !wanted.includes(key)) continue;
      const costs = sizes.map(() => []);

      for (let i = 0; i < ROUNDS; i++)
        for (const [k, size] of sizes.entries()) costs[k].push(value(await load(servers.pilcrow, folder, mode, n(size), ['--seconds', shortened || 1.2, ...args(size)])));
      const medians = costs.map(median);

      rows.push(row([name, ...sizes.map((size, k) => `${count(size)}: ${show(medians[k])}`), growth(sizes, medians)]));
      console.error(rows.at(-1));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

const page = openPage('docs/benchmarks.md', './dev bench growth');
const rows = await measureAll();
const text = [circumstances(`${ROUNDS > 1 ? `Medians of ${ROUNDS} rounds` : 'One round'}.`), [row(['what grows', '1x', '10x', '100x', 'growth']), '|---|--:|--:|--:|---|', ...rows].join('\n')].join('\n\n');

console.log(text);
if (!shortened && !wanted.length) page.write(text);
