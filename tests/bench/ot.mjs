// The engine beside the npm packages, on the same cases in the same run: what counts is the ratio.
//
//   PILCROW_TRACES   a folder with editing traces (NAME.json.gz: {txns: [{patches: [[position, n_deleted, text], ...]}]});
//                    without it, a writing session of the same shape is made up
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { Random } from '../lib/random.mjs';
import { workloads } from './ot_workloads.mjs';

const require = createRequire(new URL('../reference/', import.meta.url));
const program = process.env.PILCROW_OT_BENCH ?? fileURLToPath(new URL('../../build/tests/bench/ot_bench', import.meta.url));
const packages = {
  'text-unicode': require('ot-text-unicode').type,
  'rich-text': require('rich-text').type,
  json0: require('ot-json0').type,
  json1: require('ot-json1').type,
};
const folder = mkdtempSync(join(tmpdir(), 'pilcrow-bench-'));
const ENOUGH_MS = 1000;

// ---- ours --------------------------------------------------------------------------------------------------------------

function ask(...args) {
  const run = spawnSync(program, args.map(String));

  if (run.status !== 0) throw new Error(`ot_bench ${args.join(' ')}: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

function rateOf(...args) {
  const { n, seconds } = ask(...args);

  return n / seconds;
}

function fileOf(cases) {
  const path = join(folder, 'cases.ndjson');

  writeFileSync(path, cases.map((one) => JSON.stringify(one) + '\n').join(''));
  return path;
}

// ---- theirs ------------------------------------------------------------------------------------------------------------

// Calls work(i) for ever larger i until there was time enough; answers calls a second.
function rate(work, most = Infinity) {
  const began = performance.now();
  let n = 0;

  while (n < most && (n % 16 || performance.now() - began < ENOUGH_MS)) work(n++);
  return (1000 * n) / (performance.now() - began);
}

const ofPackage = {
  transform: (type, cases) => rate((i) => type.transform(...cases[i % cases.length], 'left')),
  compose: (type, cases) => rate((i) => type.compose(...cases[i % cases.length])),
  apply(type, [document, ...ops]) {
    let snapshot = type.create(structuredClone(document));

    rate((i) => (snapshot = type.apply(snapshot, ops[i % ops.length])), ops.length / 10); // compiled, and warm
    snapshot = type.create(structuredClone(document));
    return rate((i) => (snapshot = type.apply(snapshot, ops[i])), ops.length);
  },
};

// ---- the table ---------------------------------------------------------------------------------------------------------

const short = (n) => (n >= 1e6 ? `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)} M` : n >= 1e3 ? `${(n / 1e3).toFixed(n < 1e4 ? 2 : 1)} k` : n.toFixed(0));

function row(what, ours, theirs) {
  console.log(`| ${what} | ${short(ours)} | ${theirs ? short(theirs) : ''} | ${theirs ? `${(ours / theirs).toFixed(ours / theirs < 20 ? 1 : 0)} x` : ''} |`);
}

function traces() {
  const from = process.env.PILCROW_TRACES;
  const read = (name) => JSON.parse(gunzipSync(readFileSync(join(from, `${name}.json.gz`)))).txns.flatMap(({ patches }) => patches);
  const names = ['automerge-paper', 'rustcode', 'friendsforever_flat'].filter((name) => from && existsSync(join(from, `${name}.json.gz`)));

  return names.length ? names.map((name) => [name, read(name)]) : [['a made-up writing session', workloads.writing(new Random(1))]];
}

// The package copies the whole text for each edit, so it is timed in the middle of the session, where the text is half
// as long as at its end.
function packageOnTrace(edits) {
  const type = packages['text-unicode'];
  const op = ([position, nDeleted, text]) => type.normalize([position, { d: nDeleted }, text]);
  const middle = edits.length >> 1;
  let text = [];

  for (const [position, nDeleted, inserted] of edits.slice(0, middle)) text.splice(position, nDeleted, ...inserted);
  text = text.join('');
  const ops = edits.slice(middle, middle + 20000).map(op);
  return rate((i) => (text = type.apply(text, ops[i])), ops.length);
}

console.log('| a second | ours | npm package | ratio |\n|---|--:|--:|--:|');
for (const [name, edits] of traces()) row(`rope, edits of ${name}`, rateOf('rope', fileOf(edits)), packageOnTrace(edits));
row('rope, random edits in 1 MB', rateOf('random', 1e6));
row('rope, random edits in 100 MB', rateOf('random', 1e8));
for (const { type, fn, what, cases } of workloads.ofTypes(packages)) {
  row(`${type}: ${what}`, rateOf(fn, type, fileOf(cases)), ofPackage[fn](packages[type], cases));
}
console.log(`\nA text of 10 MB occupies ${(ask('memory', 1e7).n / 1e7).toFixed(2)} times its bytes.`);
rmSync(folder, { recursive: true });
