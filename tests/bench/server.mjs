// The server beside its neighbours and its limits: one load, one run, in turns. See server_work.mjs for what is measured,
// neighbours.mjs for the servers. What comes out goes into docs/benchmarks.md, between its marks, and docs/benchmarks.svg.
//
//   node tests/bench/server.mjs [KEY...]   only these works (submit-1 submit-64 ... catch-up); then the table is only printed
//   PILCROW_BENCH_SECONDS       how long each is measured, instead of 1.2 s in each of three rounds; one round, and only printed
//   PILCROW_BENCH_DIR           where the stores are, which should be on a disk (build)
//   PILCROW_TRACES              a folder with automerge-paper.json.gz; without it a writing session is made up
//   PILCROW_PROTOCOL_LOAD, PILCROW_ECHO   the programs
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { Random } from '../lib/random.mjs';
import { root } from '../lib/server.mjs';
import { chart } from './chart.mjs';
import { load, servers, starts } from './neighbours.mjs';
import { workloads } from './ot_workloads.mjs';
import { bytes, circumstances, count, digits, micros, openPage, percent, row, time } from './page.mjs';
import { showGoal, works } from './server_work.mjs';

const shortened = Number(process.env.PILCROW_BENCH_SECONDS ?? 0);
const wanted = process.argv.slice(2);
const ROUNDS = shortened ? 1 : 3;
const SESSION = { true: 20000, false: 4000 }; // operations: of who takes them foretold, and of who does not
const within = process.env.PILCROW_BENCH_DIR ?? join(root, 'build');
const PICTURE = join(root, 'docs/benchmarks.svg');

// ---- a writing session -------------------------------------------------------------------------------------------------

function edits() {
  const trace = join(process.env.PILCROW_TRACES ?? '', 'automerge-paper.json.gz');
  const isRecorded = process.env.PILCROW_TRACES && existsSync(trace);

  return isRecorded
    ? { name: 'automerge-paper', patches: JSON.parse(gunzipSync(readFileSync(trace))).txns.flatMap(({ patches }) => patches) }
    : { name: 'made up', patches: workloads.writing(new Random(1)) };
}

// Files of the first n operations, and of what they make.
function writeSession(folder, patches, n) {
  const text = [];
  const ops = patches.slice(0, n).map(([at, nDeleted, inserted]) => {
    text.splice(at, nDeleted, ...inserted);
    return JSON.stringify([...(at ? [at] : []), ...(inserted ? [inserted] : []), ...(nDeleted ? [{ d: nDeleted }] : [])]);
  });
  const paths = { ops: join(folder, `session-${n}.ops`), text: join(folder, `session-${n}.json`) };

  writeFileSync(paths.ops, ops.map(op => `${op}\n`).join(''));
  writeFileSync(paths.text, JSON.stringify(text.join('')));
  return ['--session', paths.ops, '--expect', paths.text];
}

// ---- measuring ---------------------------------------------------------------------------------------------------------

function measure(folder, sessions, work, server) {
  const ofSession = work.key === 'session';

  return load(server, folder, work.mode, work.n, [
    ...server.flags({ writers: work.writers ?? 1 }), '--seconds', shortened || 1.2, ...work.args,
    '--outstanding', ofSession && !server.takesForetold ? 1 : work.outstanding, ...(ofSession ? sessions[server.takesForetold] : []),
  ]);
}

// Of several measurements, member by member, the median.
function medianOf(measured) {
  if (typeof measured[0] === 'string') return measured[0];
  if (typeof measured[0] === 'number') return [...measured].sort((a, b) => a - b)[measured.length >> 1];
  return Object.fromEntries(Object.keys(measured[0]).map(key => [key, medianOf(measured.map(m => m[key]))]));
}

async function measureWork(folder, sessions, work, absent) {
  const isIn = key => !absent.includes(key) && (servers[key].isForSome ? work.more?.includes(key) : !work.skip?.includes(key));
  const keys = Object.keys(servers).filter(isIn);
  const rounds = Object.fromEntries(keys.map(key => [key, []]));

  for (let i = 0; i < ROUNDS; i++) {
    for (const key of keys) rounds[key].push(await measure(folder, sessions, work, servers[key]));
  }
  const medians = Object.fromEntries(keys.map(key => [key, medianOf(rounds[key])]));

  console.error(`${work.key}: ${keys.map(key => `${key} ${work.rows.map(({ value, show }) => show(value(medians[key]))).join(', ')}`).join('; ')}`);
  return { work, medians };
}

async function measureAll() {
  mkdirSync(within, { recursive: true });
  const folder = mkdtempSync(join(within, 'server-bench-'));
  const { name, patches } = edits();
  const sessions = Object.fromEntries(Object.entries(SESSION).map(([takes, n]) => [takes, writeSession(folder, patches, n)]));
  const todo = works.filter(({ key }) => !wanted.length || wanted.includes(key));
  const measured = [];
  let absent;

  try {
    absent = todo.some(({ more }) => more?.includes('postgres')) && !(await starts(servers.postgres, folder)) ? ['postgres'] : [];
    for (const work of todo) measured.push(await measureWork(folder, sessions, work, absent));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { measured, session: name, absent };
}

// ---- the tables --------------------------------------------------------------------------------------------------------

const forEachRow = (measured, make) => measured.flatMap(({ work, medians }) => work.rows.map(of => make(of, medians, work)));
const keys = Object.keys(servers).filter(key => !servers[key].hasNoColumn);

function figure(of, m) {
  if (!m) return '';
  const latency = of.latency?.(m);

  return of.show(of.value(m)) + (latency?.n ? ` (${time(latency.p50)}, ${time(latency.p99)})` : '');
}

function isMissed(of, goal, medians) {
  const value = goal.value ?? of.value;
  const other = goal.beside ? medians[goal.beside] && value(medians[goal.beside]) : 1;

  return value(medians.pilcrow) < goal.least * other || value(medians.pilcrow) > goal.most * other;
}

// How many times the other, and whether that is what is wanted.
function held(of, goal, medians) {
  const value = goal.value ?? of.value;
  const ours = value(medians.pilcrow);
  const ratio = goal.beside ? ours / value(medians[goal.beside]) : ours;

  if (!goal.least && !goal.most) return `${percent(ratio)} of ${servers[goal.beside].name}`;
  const isPart = goal.beside && (goal.least ?? goal.most) < 1;
  const show = n => (!goal.beside ? of.show(ours) : isPart ? `${digits(100 * ratio, n)} %` : `${digits(ratio, n)}x`);
  const isClose = isMissed(of, goal, medians) && showGoal(goal).endsWith(` ${show(2)}`);

  return `${show(isClose ? 4 : 2)} (${showGoal(goal)}${isMissed(of, goal, medians) ? ', **missed**' : ''})`;
}

function goalsTable(measured) {
  const ofGoals = (of, medians, wants) =>
    of.goals.filter(({ beside }) => beside !== 'postgres' && (beside === 'sharedb') === wants).map(goal => held(of, goal, medians)).join(', ');

  return [
    row(['work', ...keys.map(key => servers[key].name), 'Pilcrow against ShareDB', 'against the limit']),
    `|---|${keys.map(() => '--:').join('|')}|--:|--:|`,
    ...forEachRow(measured, (of, medians) => row([of.name, ...keys.map(key => figure(of, medians[key])), ofGoals(of, medians, true), ofGoals(of, medians, false)])),
  ].join('\n');
}

const cpu = (of, m) => (m ? `${micros(m.server_cpu_s / of.per(m))}, ${percent(m.server_cpu_s / m.seconds)}` : '');

// Beside who keeps what he acknowledges, too.
function durableTable(measured) {
  const faster = (of, medians) => {
    const goal = of.goals.find(({ beside }) => beside === 'postgres');

    return goal ? held(of, goal, medians) : percent(of.latency(medians.pilcrow).p50 / of.latency(medians.postgres).p50);
  };

  return [
    row(['work', 'Pilcrow', servers.postgres.name, 'our p50, of theirs', 'Pilcrow\'s CPU', servers.postgres.name]),
    '|---|--:|--:|--:|--:|--:|',
    ...forEachRow(measured, (of, medians) => medians.postgres && row([
      of.name, ...['pilcrow', 'postgres'].map(key => figure(of, medians[key])), faster(of, medians), ...['pilcrow', 'postgres'].map(key => cpu(of, medians[key])),
    ])).filter(Boolean),
  ].join('\n');
}

function cpuTable(measured) {
  return [
    row(['work', ...keys.map(key => servers[key].name), 'the load beside Pilcrow', 'beside echo', 'beside echo+sync']),
    `|---|${keys.map(() => '--:').join('|')}|--:|--:|--:|`,
    ...forEachRow(measured, (of, medians) => of.per && row([
      of.name.replace(/: deliveries.*/, ''), ...keys.map(key => cpu(of, medians[key])), ...['pilcrow', 'echo', 'sync'].map(key => (medians[key] ? percent(medians[key].own_cpu_share) : '')),
    ])).filter(Boolean),
  ].join('\n');
}

// ---- the page ----------------------------------------------------------------------------------------------------------

const perSecond = value => `${digits(value, 3)}/s`;
const panels = [
  { panel: 'second', title: 'A second: operations, answers, connects', of: ['sharedb', 'sync', 'pilcrow'], format: perSecond },
  { panel: 'cpu', title: 'Deliveries a server CPU-second, 8 operations on their way', of: ['sharedb', 'echo', 'pilcrow'], format: perSecond },
  { panel: 'p99', title: 'p99 from sending to each of 100 readers: less is better', of: ['sharedb', 'sync', 'pilcrow'], format: time },
  { panel: 'memory', title: 'Memory of an idle subscribed connection, 2,000 in all: less is better', of: ['sharedb', 'echo', 'pilcrow'], format: bytes },
];
const durable = { title: 'p50 to the acknowledgement or the reader, beside ShareDB that keeps it, too: less is better', of: ['postgres', 'pilcrow'], format: time };

function picture(measured) {
  const rows = forEachRow(measured, (row, medians) => ({ ...row, medians }));
  const isIn = (row, panel) => (panel === durable ? row.medians.postgres : row.panel === panel.panel);
  const bar = (row, key, panel) => {
    const m = row.medians[key];
    const value = m && (panel === durable ? row.latency(m).p50 : row.value(m));
    const misses = key === 'pilcrow' && row.goals.some(goal => (goal.beside === 'postgres') === (panel === durable) && isMissed(row, goal, row.medians));

    return m ? { value, label: `${panel.format(value)}${misses ? ', goal missed' : ''}` } : { value: 0, label: 'not measured' };
  };

  return chart({
    title: 'Pilcrow beside a neighbour and its limits',
    panels: [...panels, durable].map(panel => ({
      title: panel.title, format: panel.format, series: panel.of.map(key => servers[key].name),
      groups: rows.filter(row => isIn(row, panel)).map(row => ({ name: row.short ?? row.name, bars: panel.of.map(key => bar(row, key, panel)) })),
    })).filter(({ groups }) => groups.length),
  });
}

function report({ measured, session, absent }) {
  const verified = measured.reduce((sum, { medians }) => sum + ROUNDS * (medians.pilcrow.acknowledged + medians.pilcrow.told + medians.pilcrow.answered), 0);

  return [
    circumstances(`${ROUNDS > 1 ? `Medians of ${ROUNDS} rounds` : 'One round'}; server and load share the cores.`),
    'Operations, deliveries or answers a second; in brackets p50 and p99 of the time to the acknowledgement, the reader or the answer:',
    goalsTable(measured),
    'Server CPU for each of them, and of one core in all; of the load\'s process, of one core:',
    cpuTable(measured),
    ...(absent.length ? [`${servers.postgres.name} is left out: it does not start here.`] : ['Beside ShareDB that keeps what it acknowledges, in PostgreSQL:', durableTable(measured)]),
    '![Operations, deliveries, times and memory of Pilcrow, ShareDB and the bare programs](benchmarks.svg)',
    Object.keys(servers).filter(key => !absent.includes(key)).map(key => `* ${servers[key].what}.`).join('\n'),
    `* Empty: not measured. Hocuspocus is given submit and fan-out only; the bare programs have no history, and no subscription to a document more.\n` +
      `* Where the load takes all of a core beside a bare program, that program's figure is the load's limit.\n` +
      `* The writing session: ${session}, its first ${count(SESSION.true)} operations; ${count(SESSION.false)} for ShareDB.\n` +
      `* About ${count(Math.round(verified / 1000))} thousand acknowledgements, deliveries and answers of Pilcrow were each looked at: nothing lost, repeated, changed or out of order, ` +
      'and each document ended as the text that its acknowledged operations make.',
  ].join('\n\n');
}

const page = openPage('docs/benchmarks.md', './dev bench server');
const all = await measureAll();
const text = report(all);

console.log(text);
if (!shortened && !wanted.length) {
  writeFileSync(PICTURE, picture(all.measured));
  page.write(text);
}
