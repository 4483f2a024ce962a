// How long the server takes to begin, and to end without losing anything. What comes out goes into docs/benchmarks.md,
// between its marks.
//
//   node tests/bench/life.mjs
//   PILCROW_BENCH_DOCUMENTS     of the large store (1000000); with another number it is only printed
//   PILCROW_BENCH_CONNECTIONS   when it ends (10000); likewise
//   PILCROW_BENCH_DIR           where the stores are, which should be on a disk (build); 1 GB for a million documents
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { pilcrowd, root } from '../lib/server.mjs';
import { circumstances, count, openPage, row, time } from './page.mjs';

const within = process.env.PILCROW_BENCH_DIR ?? join(root, 'build');
const nDocuments = Number(process.env.PILCROW_BENCH_DOCUMENTS ?? 1e6);
const nConnections = Number(process.env.PILCROW_BENCH_CONNECTIONS ?? 1e4);
const isWhole = nDocuments === 1e6 && nConnections === 1e4;
const FEW = 1000;
const ROUNDS = 5;
const WRITTEN = 100; // documents, while the server ends

const bench = name => join(root, 'build/tests/bench', name);
const storage = (...args) => execFileSync(bench('storage_bench'), args.map(String));
const median = values => values.toSorted((a, b) => a - b)[values.length >> 1];

async function start(store) {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', pilcrowd, '--data', store, '--listen', '127.0.0.1:0', '--log-level', 'warning'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [said] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), ended]);
  const port = Number(String(said).match(/:(\d+)\/?\s/)?.[1]);

  if (!port) throw new Error(`the server of ${store} does not start`);
  return { pid: child.pid, port, ended, kill: signal => child.kill(signal) };
}

// ---- the beginning -----------------------------------------------------------------------------------------------------

// The first answer is a document of the store.
async function answered(port, n) {
  const id = String(Math.floor(n / 2)).padStart(7, '0');
  const line = createConnection(port, '127.0.0.1');

  line.write(`GET /v1/docs/many/document-${id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const [answer] = await once(line.setEncoding('latin1'), 'data');

  line.destroy();
  if (!answer.startsWith('HTTP/1.1 200') || !answer.endsWith('hello')) throw new Error(`the first request is answered ${answer}`);
}

async function timeStart(store, n) {
  const began = performance.now();
  const server = await start(store);
  const ready = performance.now() - began;

  await answered(server.port, n);
  const first = performance.now() - began;

  server.kill('SIGKILL');
  await server.ended;
  return { ready, first };
}

// A store that a server has begun, so that it has what the first start of all writes into it.
async function begun(path) {
  mkdirSync(path);
  const server = await start(path);

  server.kill('SIGTERM');
  await server.ended;
  return path;
}

// On the disk, as what a killed server had acknowledged is.
function copyStore(from, to) {
  const file = join(to, 'data.mdb');

  copyFileSync(join(from, 'data.mdb'), file);
  execFileSync('sync', [file]);
}

// The system forgets what it has of the file.
const forget = store => execFileSync('dd', [`if=${join(store, 'data.mdb')}`, 'iflag=nocache', 'count=0', 'status=none']);

async function timeStarts(folder, n) {
  const made = await begun(join(folder, `made-${n}`));
  const store = join(folder, `store-${n}`);
  const measure = async prepare => {
    const all = [];

    for (let i = 0; i < ROUNDS; i++) {
      prepare();
      all.push(await timeStart(store, n));
    }
    return { ready: median(all.map(({ ready }) => ready)), first: median(all.map(({ first }) => first)) };
  };

  mkdirSync(store);
  storage('documents', made, n);
  const killed = await measure(() => copyStore(made, store));
  storage('compact', store);
  const warm = await measure(() => {});
  const cold = await measure(() => forget(store));

  for (const path of [made, store]) rmSync(path, { recursive: true });
  return { warm, cold, killed };
}

// ---- the end -----------------------------------------------------------------------------------------------------------

async function drain(folder) {
  const store = join(folder, 'drained');
  const first = await start(store);
  const args = ['drain', nConnections, first.port, first.pid, '--documents', WRITTEN, '--foretell', '--outstanding', 8, '--warm', 2, '--patience', 30];
  const load = spawn(bench('protocol_load'), args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}');
  const before = await next();

  if (before.closed_ms === undefined) throw new Error('the load has failed');
  const [code] = await first.ended;

  if (code !== 0) throw new Error(`the server ended with ${code}`);
  const second = await start(store);

  load.stdin.end(`${second.port} ${second.pid}\n`);
  const after = await next();

  second.kill('SIGTERM');
  await second.ended;
  if (after.again_ms === undefined) throw new Error('something was lost');
  return { ...before, ...after };
}

// ---- the page ----------------------------------------------------------------------------------------------------------

const goal = ms => `${time(ms)}${ms <= 100 ? '' : ', **missed**'}`;
const both = ({ ready, first }) => [time(ready), time(first)];

function startTable(few, many) {
  const kinds = [
    ['packed, the file in memory', 'warm'],
    ['packed, the file only on the disk', 'cold'],
    ['as after kill -9, with much unpacked (up to 16 MB)', 'killed'],
  ];

  return [
    row(['the store', `ready, ${count(FEW)} documents`, 'first answer', `ready, ${count(nDocuments)} documents (<= 100 ms)`, 'first answer']), '|---|--:|--:|--:|--:|',
    ...kinds.map(([name, key]) => row([name, ...both(few[key]), goal(many[key].ready), time(many[key].first)])),
  ].join('\n');
}

const endText = d => `SIGTERM with ${count(nConnections)} subscribed connections, while ${WRITTEN} more write to ${WRITTEN} documents, 8 operations each on their way: every connection was told ` +
  `1001 and closed after ${time(d.closed_ms)}, the process had ended with 0 after ${time(d.ended_ms)}. ${count(d.acknowledged)} operations had been acknowledged, ${count(d.told)} times one ` +
  `was delivered. The writers came back to another process with their ids and sent again the ${count(d.sent_again)} that had no answer; then each document held each operation once, ` +
  'those that had been acknowledged at the versions that were said.';

mkdirSync(within, { recursive: true });
const page = openPage('docs/benchmarks.md', './dev bench life');
const folder = mkdtempSync(join(within, 'life-bench-'));

try {
  const ended = await drain(folder);
  const few = await timeStarts(folder, FEW);
  const many = await timeStarts(folder, nDocuments);
  const text = [circumstances(`Medians of ${ROUNDS} starts; one end.`), startTable(few, many), endText(ended)].join('\n\n');

  console.log(text);
  if (isWhole) page.write(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
