// How small the store keeps a history and how fast it is, beside its goals. Everything in a folder of its own, on the
// disk where this checkout is: PILCROW_BENCH_DIR chooses another. It takes up to 4 GB there.
//
//   node tests/bench/storage.mjs [ROW...]   history past appends documents backup (all of them)
//   PILCROW_TRACES                          a folder with automerge-paper.json.gz; without it a writing session is made up
//   PILCROW_BENCH_SECONDS                   how long each kind of append goes on (6)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { Random } from '../lib/random.mjs';
import { startServer } from '../lib/server.mjs';
import { workloads } from './ot_workloads.mjs';

const build = fileURLToPath(new URL('../../build', import.meta.url));
const program = process.env.PILCROW_STORAGE_BENCH ?? join(build, 'tests/bench/storage_bench');
const within = process.env.PILCROW_BENCH_DIR ?? build;
const seconds = Number(process.env.PILCROW_BENCH_SECONDS ?? 6);
const rows = process.argv.slice(2);
const LONG = 1e6;
const LOOKS = 1000;

mkdirSync(within, { recursive: true });
const folder = mkdtempSync(join(within, 'storage-bench-'));

function ask(...args) {
  const run = spawnSync(program, args.map(String));

  if (run.status !== 0) throw new Error(`storage_bench ${args.join(' ')}: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

function directory(name) {
  const path = join(folder, name);

  mkdirSync(path, { recursive: true });
  return path;
}

const row = (work, goal, measured) => console.log(`| ${work} | ${goal} | ${measured} |`);
const wants = what => rows.length === 0 || rows.includes(what);
const median = times => times.toSorted((a, b) => a - b)[times.length >> 1];

// ---- a long history ----------------------------------------------------------------------------------------------------

function session() {
  const trace = join(process.env.PILCROW_TRACES ?? '', 'automerge-paper.json.gz');
  const isRecorded = process.env.PILCROW_TRACES && existsSync(trace);
  const edits = isRecorded ? JSON.parse(gunzipSync(readFileSync(trace))).txns.flatMap(({ patches }) => patches) : workloads.writing(new Random(1));
  const ops = edits.map(([at, nDeleted, text]) => [...(at ? [at] : []), ...(text ? [text] : []), ...(nDeleted ? [{ d: nDeleted }] : [])]);
  const path = join(folder, 'ops.ndjson');

  writeFileSync(path, ops.map(op => JSON.stringify(op) + '\n').join(''));
  return { name: isRecorded ? 'automerge-paper' : 'a made-up writing session', n: ops.length, path };
}

const sizeOf = path => statSync(join(path, 'data.mdb')).size;

function history({ name, n, path }) {
  const place = directory('history');

  ask('session', place, 'text', n, path);
  const before = sizeOf(place);
  const { seconds: compacting } = ask('compact', place);
  const after = sizeOf(place);
  const every = ask('every', place, 'text');

  row(`${name}, ${n} operations, compacted`, `1.2 MB (6 B an operation + 128 kB: ${((6 * n) / 1e6 + 0.128).toFixed(2)} MB)`,
    `${(after / 1e6).toFixed(2)} MB, ${(after / n).toFixed(2)} B an operation (before: ${(before / 1e6).toFixed(1)} MB; ${compacting.toFixed(1)} s)`);
  row('each version\'s record read by itself', 'all there', `${every.n} of ${n + 1}, ${((every.seconds / every.n) * 1e6).toFixed(0)} us each`);
}

async function past({ path }) {
  const place = directory('past');
  const { seconds: writing } = ask('session', place, 'long', LONG, path);
  const { median: ms, p99, text } = await randomVersions(place);
  const content = join(folder, 'content.json');

  writeFileSync(content, JSON.stringify(text));
  ask('session', place, 'short', 100, path);
  ask('session', place, 'equal', 100, path, content);
  const [short, equal, long] = ['short', 'equal', 'long'].map(id => ask('opening', place, id, 200));

  row(`open a document with ${LONG} operations of history`, 'within 2x of one with 100; 2 ms',
    `${long.median_ms.toFixed(2)} ms (p99 ${long.p99_ms.toFixed(2)}) against ${equal.median_ms.toFixed(2)} of one as large with 100: ` +
    `${(long.median_ms / equal.median_ms).toFixed(1)} x (one of a sentence: ${short.median_ms.toFixed(2)})`);
  row('snapshot at a random version of it, over HTTP', '5 ms median', `${ms.toFixed(2)} ms (p99 ${p99.toFixed(1)})`);
  row('(writing it, durable, 64 at a time)', '', `${(LONG / writing / 1000).toFixed(0)} k operations/s`);
}

async function randomVersions(place) {
  const ends = [];
  const server = await startServer({ after: end => ends.unshift(end) }, { data: place });
  const random = new Random(7);
  const times = [];
  const read = async version => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/v1/docs/bench/long${version}`);
    const text = await answer.text();

    if (answer.status !== 200) throw new Error(`a version is answered ${answer.status}`);
    return text;
  };

  for (let i = 0; i < LOOKS; i++) {
    const began = performance.now();

    await read(`?version=${random.between(1, LONG)}`);
    times.push(performance.now() - began);
  }
  const text = await read('');

  for (const end of ends) await end();
  return { median: median(times), p99: times.toSorted((a, b) => a - b)[Math.floor(0.99 * times.length)], text };
}

// ---- the rest ----------------------------------------------------------------------------------------------------------

function appends() {
  for (const [n, goal] of [[1, 45], [64, 45], [256, 30]]) {
    const { ours, bare } = ask('append', directory(`append-${n}`), n, seconds);

    row(`durable appends of ${n}, ${seconds} s, packing included`, `${goal} % of a bare write + fdatasync`,
      `${Math.round(ours)} operations/s of ${Math.round(bare)}: ${((100 * ours) / bare).toFixed(0)} %`);
  }
}

function documents() {
  const few = ask('documents', directory('few'), 1000);
  const many = ask('documents', directory('many'), 1000000);

  row('1,000,000 documents: a page of 100, one opened', 'as fast as with 1,000',
    `${many.page_ms.toFixed(3)} ms against ${few.page_ms.toFixed(3)}; ${many.open_ms.toFixed(3)} against ${few.open_ms.toFixed(3)}`);
}

function backup() {
  const made = ask('backup', directory('backup'), join(folder, 'copy.mdb'), 1024);

  row('hot backup of 1 GB: longest stall of writers', '50 ms',
    `${made.max_ms.toFixed(1)} ms, p99 ${made.p99_ms.toFixed(1)} in ${made.seconds.toFixed(1)} s (without a backup, as long: ${made.alone_max_ms.toFixed(1)}, ${made.alone_p99_ms.toFixed(1)})`);
}

console.log('| work | goal | measured |\n|---|---|---|');
try {
  if (wants('history') || wants('past')) {
    const made = session();

    if (wants('history')) history(made);
    if (wants('past')) await past(made);
  }
  if (wants('appends')) appends();
  if (wants('documents')) documents();
  if (wants('backup')) backup();
} finally {
  rmSync(folder, { recursive: true });
}
