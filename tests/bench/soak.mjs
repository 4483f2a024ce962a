// Half an hour of everything at once on one server: writers of all types, their lines breaking, followers, presence, HTTP,
// versions of the past, documents that come and go or are unloaded, and a backup in the middle. What is acknowledged must be
// there, once, in its place; everybody must have been told; nothing may be refused that was not meant to be; and memory and
// times must stay as they were. The load comes by the clock, far below what the machine can do, so that times mean something.
// What comes out goes into docs/benchmarks.md, between its marks; soak/ has a file for each part.
//
//   node tests/bench/soak.mjs [MINUTES]     30, or PILCROW_SOAK_MINUTES; below 15 neither memory nor times are judged, and it
//                                           is only printed
//   PILCROW_SEED                            of an earlier run
//   PILCROW_BENCH_DIR                       where its store is (build/)
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { Client } from '../lib/client.mjs';
import { root, startServer } from '../lib/server.mjs';
import { circumstances, count, openPage, time } from './page.mjs';
import { Backup, command } from './soak/backup.mjs';
import { Editor } from './soak/editors.mjs';
import { Follower, stream } from './soak/followers.mjs';
import { figuresOf, Gauges } from './soak/gauges.mjs';
import { Sequence } from './soak/ledger.mjs';
import { Life, watch } from './soak/lives.mjs';
import { all } from './soak/operations.mjs';
import { Past } from './soak/past.mjs';
import { Company } from './soak/presence.mjs';
import { proven } from './soak/requests.mjs';
import { Run, until } from './soak/run.mjs';
import { list, poll, provoke, Script } from './soak/scripts.mjs';
import { Shelf } from './soak/shelf.mjs';
import { judge, minuteTable, windowTable } from './soak/verdict.mjs';

const minutes = Number(process.argv[2] ?? process.env.PILCROW_SOAK_MINUTES ?? 30);
const seed = Number(process.env.PILCROW_SEED ?? Math.floor(Math.random() * 1e9));
const rowMs = Math.min(60_000, minutes * 10_000); // a minute; a sixth of what is shorter than six
const nRows = Math.round((minutes * 60_000) / rowMs);
const LOOKS = 12; // a row

const N_SHARED = 2; // of each type
const N_EDITORS = 4; // of each of these
const N_LIVES = 2; // at a time, of each type
const N_SHELF = 1500; // the server keeps 1,000 loaded
const PER_SECOND = { editor: 7, life: 7, script: 4, reader: 6, past: 6, shelf: 20, presence: 0.5, list: 0.2, provoked: 0.2 };
const LIFE_MS = [Math.min(20_000, rowMs), Math.min(60_000, 2 * rowMs)];

// ---- the load --------------------------------------------------------------------------------------------------------

async function begin(run) {
  const shelf = new Shelf(run, N_SHELF);
  const editors = [];
  const companies = [];

  await shelf.start();
  run.past = new Past(run);
  await run.past.start();
  for (const kind of all)
    for (let i = 0; i < N_SHARED; i++) {
      const page = run.ledger.page('shared', `${kind.name}-${i}`, kind);
      const team = Array.from({ length: N_EDITORS }, (_, k) => new Editor(run, kind, `editor ${k} of ${page.name}`));
      for (const editor of team) await editor.open(page);
      run.shared.push(page);
      editors.push(...team);
      companies.push(new Company(run, team));
    }
  const follows = run.shared.flatMap(page => ['poll', 'stream'].map(way => Object.assign(new Sequence(page, `a ${way} of ${page.name}`), { way, next: page.head })));
  const followers = [0, 1].map(i => new Follower(run, `follower ${i}`));
  const lives = all.flatMap(kind => Array.from({ length: N_LIVES }, (_, i) => new Life(run, kind, `${kind.name}-${i}`, { perSecond: PER_SECOND.life, lifeMs: LIFE_MS })));
  const watcher = new Client(run.server);
  const query = await watch(run, watcher);

  for (const follower of followers) await follower.start();
  for (const sequence of follows) (sequence.way === 'poll' ? poll : stream)(run, sequence.page, sequence);
  return { shelf, editors, companies, follows, followers, lives, watcher, query };
}

async function work(run, { shelf, editors, companies, lives }) {
  const scripts = [0, 1, 2, 3].map(i => new Script(run, `script-${i}`));
  const chance = run.chance();
  const some = () => chance.oneOf(run.shared);

  for (const editor of editors) run.often(PER_SECOND.editor, () => editor.write());
  for (const company of companies) await company.start(PER_SECOND.presence);
  for (const life of lives) life.start();
  for (const script of scripts) {
    run.often(PER_SECOND.script, () => script.edit(some()));
    run.often(PER_SECOND.reader, () => script.read(some()));
  }
  run.often(PER_SECOND.past, () => run.past.ask());
  run.often(PER_SECOND.shelf, () => shelf.visit());
  run.often(PER_SECOND.list, () => list(run, 'lives'));
  run.often(PER_SECOND.provoked, () => provoke(run, some()));
}

// ---- what must hold afterwards ---------------------------------------------------------------------------------------

// Everybody has come to the same, and so have those who follow. Returns the snapshot of each document.
async function agree(run, { editors, companies, follows, followers, watcher, query }) {
  const there = new Map();
  const found = () => query.results.map(doc => [doc.id, doc.version]).sort();
  const living = () => [...run.ledger.pages.values()].filter(page => page.collection === 'lives' && page.exists).map(page => [page.id, page.head]).sort();

  for (const editor of editors) await editor.settle();
  for (const company of companies) await company.prove();
  for (const sequence of follows) await until(() => sequence.next >= sequence.page.head, `${sequence.who} is told everything`, run);
  for (const follower of followers) await until(() => follower.hasAll(), `${follower.name} is told everything`, run);
  for (const page of run.ledger.pages.values()) there.set(page, await proven(run, page));
  for (const editor of editors) await editor.agrees(there.get(editor.page));
  await until(() => isDeepStrictEqual(found(), living()), 'the query finds the documents that there are', run);
  for (const error of watcher.errors) run.fault(`the query: ${error.stack}`);
  return there;
}

async function leave(run, { editors, followers, lives, shelf, watcher }) {
  await run.close();
  for (const one of [...followers, run.past, shelf]) await one.leave();
  for (const one of [...lives, ...editors.map(editor => editor.client), watcher]) one.close();
}

// The server's own figures, of what was done and what was refused, are those of the load.
function agreeFigures(run, figures, nWitnessed) {
  const limits = Object.entries(figures).filter(([name, value]) => /^limit_hits_total(?!.*"idle")/.test(name) && value); // idle: lines that no request used
  const pairs = [['operations committed', figures.operations_committed_total, run.ledger.nAcknowledged + nWitnessed], ['requests refused', figures.http_problems_total, run.nRefused],
    ['limits hit', limits.length, 0], ['documents read again', figures.reloads_total, 0]];

  for (const [what, says, is] of pairs) if (says !== is) run.fault(`${what}: the server says ${says}, it was ${is}`);
}

// Its log: nothing that somebody on call would have to look at.
function agreeLog(run) {
  for (const line of run.server.output.split('\n').filter(each => each.startsWith('{'))) {
    const { level, message } = JSON.parse(line);
    if (level !== 'info' || message === 'answered') run.fault(`the server's log: ${line}`);
  }
}

// What it leaves behind. there: page -> its snapshot as the server had it.
async function agreeStore(run, there) {
  const { server } = run;
  const { code, signal } = await server.stop();

  if (code !== 0) run.fault(`the server ended with ${code ?? signal}`);
  agreeLog(run);
  await command(run, '--data', server.data, 'check');
  for (const page of run.shared) {
    const { version, data } = there.get(page);
    const kept = JSON.parse(await command(run, '--data', server.data, '--json', 'cat', page.name));
    if (!isDeepStrictEqual([kept.version, kept.data], [version, data])) run.fault(`${page.name} in the store is not what the server had`);
  }
}

async function main(ends) {
  const within = process.env.PILCROW_BENCH_DIR ?? join(root, 'build');
  mkdirSync(within, { recursive: true });
  const folder = mkdtempSync(join(within, 'soak-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startServer({ after: end => ends.unshift(end) }, { data: join(folder, 'data'), args: ['--log-format', 'json'] });
  server.exited.then(({ code, signal }) => code !== 0 && console.error(`the server has ended with ${code ?? signal}:\n${server.output.slice(-5000)}`));
  const run = new Run(server, seed);
  const gauges = new Gauges(run);
  const backup = new Backup(run, folder);

  console.error(`seed ${seed}, ${minutes} minutes`);
  const load = await begin(run);
  await work(run, load);
  await gauges.start();
  const began = performance.now();
  for (let i = 0; i < nRows; i++) {
    if (i === nRows >> 1) run.start(() => backup.make());
    for (let k = 1; k <= LOOKS; k++) {
      await new Promise(resolve => setTimeout(resolve, began + (i + k / LOOKS) * rowMs - performance.now()));
      await gauges.look();
    }
    await gauges.row();
    console.error(minuteTable(gauges.rows).split('\n').slice(i ? -1 : 0).join('\n'));
  }
  const nWitnessed = await gauges.end();
  console.error('the load ends; what must hold is looked at');
  await run.finish();
  const there = await agree(run, load);
  await leave(run, load);
  agreeFigures(run, await figuresOf(server), nWitnessed);
  await agreeStore(run, there);
  await backup.prove(ends);
  return { run, gauges, backup };
}

const ends = [];
let isGood = false;

try {
  const { run, gauges: { rows }, backup } = await main(ends);
  const { ledger } = run;
  const judged = [{ what: 'nothing lost, repeated, changed, out of order or refused', isGood: !ledger.nFaults, said: `${count(ledger.nFaults)} faults` }, ...judge(rows)];
  const verdict = judged.map(({ what, said, isGood: good }) => `* ${what}: ${good ? 'yes' : '**no**'} (${said})`).join('\n');
  const looked = `* ${count(ledger.nAcknowledged)} operations in ${count(ledger.pages.size)} documents, ${count(ledger.nShown)} deliveries to followers looked at, ${count(run.nCuts)} lines broken; ` +
    `the backup took ${time(backup.ms)}.`;

  for (const fault of ledger.faults.slice(0, 50)) console.log(fault.slice(0, 1000));
  console.log(`${minuteTable(rows)}\n\n${verdict}\n${looked}`);
  isGood = judged.every(each => each.isGood);
  if (minutes >= 15) openPage('docs/benchmarks.md', './dev bench soak').write([circumstances(`${minutes} minutes, seed ${seed}.`), windowTable(rows), `${verdict}\n${looked}`].join('\n\n'));
} finally {
  for (const end of ends) await end();
}
process.exit(isGood ? 0 : 1);
