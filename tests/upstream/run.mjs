// Runs the upstream tests, or some of them, against pilcrowd; a line of JSON a test:
//
//   node run.mjs [--listed | --others] [--only WORDS]     the tests that left_out.json lists, or all but these
//
//   {"file":"client/doc.js","title":"Doc > fetch > ...","error":null,"needs":["use('apply')"]}
import { readdirSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { parseArgs } from 'node:util';
import Mocha from 'mocha';
import { Backend, needs, useServers } from './backend.mjs';
import { asTextUnicode } from './presence_type.mjs';
import { startServers } from './servers.mjs';

const require = createRequire(import.meta.url);
const upstream = join(dirname(require.resolve('sharedb/package.json')), 'test');
const leftOut = JSON.parse(readFileSync(new URL('left_out.json', import.meta.url)));

// What the tests ask for, and get something else: the server, a type of theirs, a package that is not published, and
// packages that are modules only, which Node 18 cannot require.
const instead = {
  'lib/backend': Backend,
  'ot-json0-v2': require('ot-json0'),
  './presence-test-type': { type: asTextUnicode(require('sharedb/test/client/presence/presence-test-type').type) },
  chai: await import('chai'),
  sinon: await import('sinon'),
  'sinon-chai': await import('sinon-chai'),
};
const load = Module._load;
Module._load = (request, parent, isMain) => {
  const name = request.replace(/^(\.\.\/)+/, '');

  return parent?.filename.startsWith(upstream + sep) && Object.hasOwn(instead, name) ? instead[name] : load(request, parent, isMain);
};

function titleOf(test, seen) {
  const title = test.titlePath().slice(1).join(' > ');
  const file = test.titlePath()[0];
  const key = `${file} ${title}`;
  const n = (seen.get(key) || 0) + 1;

  seen.set(key, n);
  return { file, title: n === 1 ? title : `${title} (${n})` };
}

// The databases' own tests ask for queries in a language of their own. Here it knows one: everything.
function getQuery({ query, sort }) {
  if (sort || Object.keys(query).length > 0) throw new Error('needs the inside of a server: a database with a query language');
  return {};
}

function loadFiles(mocha) {
  const files = readdirSync(upstream, { recursive: true }).filter(file => file.endsWith('.js') && !(file in leftOut.files)).sort();

  mocha.suite.emit('pre-require', globalThis, null, mocha);
  require('sharedb/test/setup');
  globalThis.beforeEach(() => (needs.length = 0));
  globalThis.afterEach(() => Backend.endAll());
  for (const file of files)
    globalThis.describe(file, () => {
      const suite = require(join(upstream, file));

      if (typeof suite !== 'function') return;
      // These are run for every database, as in their db.js.
      globalThis.beforeEach(function () { this.backend = new Backend(); });
      suite({ getQuery });
    });
}

function select(suite, isWanted, seen = new Map()) {
  suite.tests = suite.tests.filter(test => isWanted((test.upstream = titleOf(test, seen))));
  for (const child of suite.suites) select(child, isWanted, seen);
}

function* testsOf(suite) {
  yield* suite.tests;
  for (const child of suite.suites) yield* testsOf(child);
}

// The error that kept a test from being run: that of a hook of a suite it is in.
function errorAbove(test, errors) {
  for (let suite = test.parent; suite; suite = suite.parent) if (errors.has(suite)) return errors.get(suite);
  return { error: 'was not run', needs: [] };
}

function runTests(mocha) {
  const results = new Map();
  const suiteErrors = new Map();

  return new Promise(resolve => {
    const runner = mocha.run(() => resolve([...testsOf(mocha.suite)].map(test =>
      ({ ...test.upstream, ...(results.get(test) || errorAbove(test, suiteErrors)) }))));

    runner.on('pass', test => results.has(test) || results.set(test, { error: null, needs: [...needs] }));
    runner.on('fail', (test, error) => {
      const result = { error: String(error?.stack || error), needs: [...needs] };

      if (test.type === 'hook') suiteErrors.has(test.parent) || suiteErrors.set(test.parent, result);
      else results.set(test, result);
    });
  });
}

const listed = new Set(leftOut.tests.flatMap(({ tests }) => Object.entries(tests).flatMap(([file, titles]) =>
  titles.map(title => `${file} ${title}`))));
const { values } = parseArgs({ options: { listed: { type: 'boolean' }, others: { type: 'boolean' }, only: { type: 'string' } } });
const mocha = new Mocha({ timeout: 10_000, reporter: class {} });
const servers = await startServers();

useServers(servers);
loadFiles(mocha);
select(mocha.suite, ({ file, title }) => {
  const key = `${file} ${title}`;

  return (listed.has(key) ? !values.others : !values.listed) && key.includes(values.only ?? '');
});
const lines = (await runTests(mocha)).map(result => `${JSON.stringify(result)}\n`);
await servers.end();
await new Promise(resolve => process.stdout.write(lines.join(''), resolve));
process.exit(0); // some tests leave a timer behind
