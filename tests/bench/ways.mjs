// The four ways of being told of a change, side by side: the same machine, document and writer, 1, 100 and 1,000 followers.
// What it measures goes into docs/four-ways.md, between its marks, and docs/four-ways.svg.
//
//   node tests/bench/ways.mjs
//   PILCROW_BENCH_SECONDS       how long each is written to, instead of 10 to 20; then the table is only printed
//   PILCROW_FOLLOWERS           the program followers (build/tests/bench/followers)
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { root, startServer } from '../lib/server.mjs';
import { chart } from './chart.mjs';
import { bytes, circumstances, count, digits, micros, openPage, percent, row, time } from './page.mjs';

const program = process.env.PILCROW_FOLLOWERS ?? join(root, 'build/tests/bench/followers');
const shortened = Number(process.env.PILCROW_BENCH_SECONDS ?? 0);
const COUNTS = [1, 100, 1000];
const MOST = COUNTS.at(-1);
const PICTURE = join(root, 'docs/four-ways.svg');

// seconds, and quiet: how long somebody writes, and nobody does.
const ways = [
  { name: 'polling each 5 s', way: 'polling', args: ['--interval', 5], seconds: 20, quiet: 10 },
  { name: 'polling each 1 s', way: 'polling', args: ['--interval', 1], seconds: 12, quiet: 5 },
  { name: 'long-polling', way: 'long-polling', args: [], seconds: 10, quiet: 5 },
  { name: 'Server-Sent Events', way: 'events', args: [], seconds: 10, quiet: 5 },
  { name: 'WebSocket', way: 'websocket', args: [], seconds: 10, quiet: 5 },
];
const unconditional = { name: 'polling each 5 s, without `If-None-Match`', way: 'polling', args: ['--interval', 5, '--unconditional'], seconds: 0, quiet: 10 };

// ---- measuring ---------------------------------------------------------------------------------------------------------

// A server of its own for each, so that its memory is that of these followers.
async function follow({ name, way, args, seconds, quiet }, n) {
  const ends = [];
  const stretches = ['--writing', seconds && (shortened || seconds), '--quiet', n === MOST ? quiet : 0];

  try {
    const server = await startServer({ after: end => ends.unshift(end) });
    const { stdout } = await promisify(execFile)(program, [way, n, server.port, server.pid, ...args, ...stretches].map(String));

    return { name, ...JSON.parse(stdout) };
  } catch (error) {
    throw new Error(`${name}, ${n} followers: ${error.stderr || error.message}`);
  } finally {
    for (const end of ends) await end();
  }
}

async function measureAll() {
  const runs = [];

  for (const way of ways) {
    for (const n of COUNTS) {
      runs.push(await follow(way, n));
      console.error(`${way.name}, ${n}: ${Math.round(runs.at(-1).latency_ms.median)} ms`);
    }
  }
  return { runs, careless: await follow(unconditional, MOST) };
}

// ---- figures -----------------------------------------------------------------------------------------------------------

const cpu = stretch => stretch.server_cpu_s / stretch.seconds;
const traffic = stretch => (stretch.bytes_in + stretch.bytes_out) / stretch.seconds;
const rates = stretch => [digits(stretch.requests / stretch.seconds), bytes(stretch.bytes_out / stretch.seconds), bytes(stretch.bytes_in / stretch.seconds)];
const own = stretch => percent(stretch.own_cpu_s / stretch.seconds);

function writingTable(runs) {
  return [
    row(['told by', 'followers', 'median', 'p99', 'max', 'requests/s', 'bytes/s up', 'bytes/s down', 'server CPU', 'of it for each follower and write', 'followers\' CPU']),
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...runs.map(({ name, followers, writing, latency_ms: latency }) => row([
      name, count(followers), time(latency.median), time(latency.p99), time(latency.max), ...rates(writing), percent(cpu(writing)),
      micros(writing.server_cpu_s / (writing.writes * followers)), own(writing),
    ])),
  ].join('\n');
}

function quietTable(runs) {
  return [
    row([`${count(MOST)} followers`, 'requests/s', 'bytes/s up', 'bytes/s down', 'server CPU', 'memory for each', 'followers\' CPU']),
    '|---|--:|--:|--:|--:|--:|--:|',
    ...runs.map(({ name, memory, quiet }) => row([name, ...rates(quiet), percent(cpu(quiet)), bytes(memory), own(quiet)])),
  ].join('\n');
}

const each = stretch => `${bytes((stretch.bytes_in + stretch.bytes_out) / stretch.requests)} and ${micros(stretch.server_cpu_s / stretch.requests)} of CPU`;

function checks(runs, most, careless) {
  const alone = runs.filter(run => run.followers === 1).map(run => run.acknowledged_ms.median);
  const [slow, quick] = most;
  const late = most.filter(run => run.writing.late || run.quiet.late).map(run => run.name);

  return [
    `* Polling each 5 s is told after ${time(slow.latency_ms.mean)} on average (expected: 2.5 s), each 1 s after ${time(quick.latency_ms.mean)} (0.5 s).`,
    `* ${count(MOST)} followers who poll each 5 s made ${digits(slow.quiet.requests / slow.quiet.seconds)} requests a second (expected: 200), each 1 s ` +
      `${digits(quick.quiet.requests / quick.quiet.seconds, 3)} (1,000).${late.length ? ` Some polls were left out, as the one before was not answered: ${late.join(', ')}.` : ''}`,
    `* A 304 took ${each(slow.quiet)}, request and answer; without \`If-None-Match\` the same question took ${each(careless.quiet)}.`,
    `* The writer's own operations were acknowledged after ${time(Math.min(...alone))} to ${time(Math.max(...alone))} (medians, beside one follower): that much is the disk's.`,
    `* ${count(runs.reduce((sum, run) => sum + run.told, 0))} times a follower was told of a version, and each was looked at: nothing lost, repeated, changed or out of order.`,
  ].join('\n');
}

// ---- the page ----------------------------------------------------------------------------------------------------------

function picture(runs, most) {
  const names = ways.map(({ name }) => name);
  const ofMost = value => names.map((name, i) => ({ name, bars: [{ value: value(most[i].quiet) }, { value: value(most[i].writing) }] }));
  const meanwhile = ['nobody writes', 'somebody writes once a second'];

  return chart({
    title: 'Four ways of being told',
    panels: [
      {
        title: 'From the write to the follower: median, and p99 as a line',
        series: COUNTS.map(n => `${count(n)} follower${n > 1 ? 's' : ''}`),
        format: time,
        groups: names.map(name => ({
          name,
          bars: runs.filter(run => run.name === name).map(({ latency_ms: { median, p99 } }) => ({ value: median, upTo: p99, label: `${time(median)}, ${time(p99)}` })),
        })),
      },
      { title: `Server CPU, of one core, with ${count(MOST)} followers`, series: meanwhile, format: percent, groups: ofMost(cpu) },
      { title: `Bytes a second, both ways, with ${count(MOST)} followers`, series: meanwhile, format: bytes, groups: ofMost(traffic) },
    ],
  });
}

function report({ runs, careless }) {
  const most = runs.filter(run => run.followers === MOST);

  return [
    circumstances('Server, followers and writer share the cores.'),
    '**Somebody writes**, once a second on average:',
    writingTable(runs),
    '**Nobody writes**:',
    quietTable([...most, careless]),
    checks(runs, most, careless),
  ].join('\n\n');
}

const page = openPage('docs/four-ways.md', './dev bench ways');
const measured = await measureAll();
const text = report(measured);

console.log(text);
if (!shortened) {
  writeFileSync(PICTURE, picture(measured.runs, measured.runs.filter(run => run.followers === MOST)));
  page.write(text);
}
