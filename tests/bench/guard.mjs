// Whether the core has become slower, without a clock: the instructions of fixed work, counted by callgrind, beside those
// that were recorded. Neighbours on the machine do not change them. Prints TAP.
//
//   node tests/bench/guard.mjs            fails where one has grown by more than a tenth
//   node tests/bench/guard.mjs --record   writes guard.json anew; the commit says why
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MOST = 1.1;
const program = process.env.PILCROW_GUARD ?? fileURLToPath(new URL('../../build/tests/bench/guard', import.meta.url));
const records = new URL('./guard.json', import.meta.url);

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });

  if (error || status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr}`);
  return { stdout, stderr };
}

function count(work) {
  const tool = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=counted'];
  const { stderr } = run('valgrind', [...tool, program, work]);

  return Number(/Collected : (\d+)/.exec(stderr)[1]);
}

const works = run(program, ['--list']).stdout.trim().split('\n');
const counts = Object.fromEntries(works.map((work) => [work, count(work)]));

if (process.argv.includes('--record')) {
  writeFileSync(records, JSON.stringify(counts, null, 2) + '\n');
  process.exit();
}

const recorded = JSON.parse(readFileSync(records, 'utf8'));

console.log(`1..${works.length}`);
works.forEach((work, i) => {
  const ratio = counts[work] / recorded[work];

  console.log(`${ratio <= MOST ? 'ok' : 'not ok'} ${i + 1} - ${work}: ${counts[work]} instructions, ${ratio.toFixed(3)} of what was recorded`);
  if (!(ratio <= MOST)) process.exitCode = 1;
});
