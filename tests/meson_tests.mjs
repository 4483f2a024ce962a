// What meson knows to run in a suite: a line of shell for each program, with the counter before it.
//
//   node tests/meson_tests.mjs PATIENCE LABEL FOLDER SUITE [VARIABLE=VALUE...]
//
// PATIENCE is what their timeouts are multiplied by; the variables are for them.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const [patience, label, folder, suite, ...given] = process.argv.slice(2);
const tests = JSON.parse(readFileSync(`${folder}/meson-info/intro-tests.json`, 'utf8'));
const due = tests.filter(test => test.suite.some(name => name.split(':').at(-1) === suite));

// Names must differ: each has a log.
const nameOf = ([program, ...args]) =>
  [label + program.split('/tests/').at(-1), ...args.filter(word => !/^[-\d]/.test(word)).map(word => basename(word))].join(' ');

if (due.length === 0) throw new Error(`nothing in ${suite}`);
for (const { cmd, env, timeout } of due) {
  // What is read before it was written, or after it was freed, is not zero.
  const variables = [...Object.entries({ MALLOC_PERTURB_: 165, ...env }).map(pair => pair.join('=')), ...given];
  const words = [nameOf(cmd), 'timeout', '-k', 10, timeout * patience, 'env', '-C', folder, ...variables, ...cmd];

  console.log(`tests/tally ${words.map(word => `'${String(word).replaceAll("'", `'\\''`)}'`).join(' ')}`);
}
