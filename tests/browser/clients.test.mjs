// docs/clients.md shows the files of examples/clients/ as they are; those that need no browser are run here.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, json0, json1, promised, rich, text } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { root, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { bundle } from './site.mjs';

const require = createRequire(import.meta.url);
const folder = join(root, 'examples/clients');
const built = temporaryDirectory({ after });

await bundle({
  entryPoints: ['text.js', 'whole-characters.js', 'node.mjs'].map(name => join(folder, name)),
  platform: 'node',
  outdir: built,
  outExtension: { '.js': '.cjs' },
  write: true,
});

test('docs/clients.md shows every file of examples/clients/, word for word', () => {
  const shown = new Map();

  for (const [, name, code] of readFileSync(join(root, 'docs/clients.md'), 'utf8').matchAll(/^`examples\/clients\/(\S+)`\n\n```\w+\n(.*?)^```$/gms))
    shown.set(name, code);
  assert.deepEqual([...shown.keys()].sort(), readdirSync(folder).sort());
  for (const [name, code] of shown) assert.equal(code, readFileSync(join(folder, name), 'utf8'), name);
});

const CHARACTERS = ['😀', '😁', '🔖', '🤖', '\u{1fa00}', 'a', 'b', '\n'];
const randomText = random => Array.from({ length: random.between(0, 6) }, () => random.oneOf(CHARACTERS)).join('');
const isWhole = text => !/\p{Surrogate}/u.test(text);

test('text.js: every change becomes an operation in whole characters, and comes back as changes', t => {
  const random = new Random(seedOf(t));
  const { changeBetween, changesOf, opOf } = require(join(built, 'text.cjs'));
  const { type } = require('ot-text-unicode');

  for (let i = 0; i < 20_000; i++) {
    const before = randomText(random);
    const after = randomText(random);
    const op = type.normalize(opOf(before, changeBetween(before, after)));
    let text = before;

    assert.ok(op.every(part => typeof part !== 'string' || isWhole(part)), JSON.stringify([before, after, op]));
    assert.equal(type.apply(before, op), after);
    for (const { from, to, insert } of changesOf(before, op).reverse()) text = text.slice(0, from) + insert + text.slice(to);
    assert.equal(text, after);
  }
});

test('whole-characters.js: what Quill makes of two texts cuts characters; then it is the same edit, and cuts none', t => {
  const random = new Random(seedOf(t));
  const { wholeCharacters } = require(join(built, 'whole-characters.cjs'));
  const Delta = require(require.resolve('quill-delta', { paths: [require.resolve('quill-1')] }));
  let nCut = 0;

  for (let i = 0; i < 5_000; i++) {
    const before = new Delta([{ insert: `${randomText(random)}\n` }]);
    const after = new Delta([{ insert: `${randomText(random)}\n` }]);
    const delta = before.diff(after);
    const { ops } = wholeCharacters(delta, before);
    const text = before.ops[0].insert;
    let at = 0;

    nCut += ops !== delta.ops;
    assert.deepEqual(before.compose(new Delta(ops)).ops, after.ops);
    for (const op of ops) {
      at += (op.retain ?? 0) + (op.delete ?? 0);
      assert.ok(isWhole(op.insert ?? '') && isWhole(text.slice(0, at)), JSON.stringify([text, delta.ops, ops]));
    }
  }
  assert.ok(nCut > 500, `${nCut} cut`);
});

test('node.mjs: a line more with every run', async t => {
  const server = await startServer(t);
  const say = async line => {
    const { code, stdout, stderr } = await run(process.execPath, [join(built, 'node.cjs'), server.webSocketUrl, line]);

    assert.equal(code, 0, stderr);
    return stdout;
  };

  assert.equal(await say('one 😀'), 'one 😀\n');
  assert.equal(await say('two'), 'one 😀\ntwo\n');
  assert.equal(await (await fetch(`${server.url}/v1/docs/notes/log`)).text(), 'one 😀\ntwo\n');
});

test('curl.sh', async t => {
  const server = await startServer(t);
  const { code, stdout, stderr } = await run('sh', [join(folder, 'curl.sh'), server.url]);

  assert.equal(code, 0, stderr);
  assert.match(stdout, /bread, milk 🧀$/);
});

// An edit that is too large, and one that waits behind it: what becomes of the second, and of what the first removed?
const large = 'x'.repeat(2000);
const refused = [
  ['json0: itself', json0, { a: 1 }, [{ p: ['a'], od: 1 }, { p: ['b'], oi: large }], [{ p: ['c'], oi: 2 }], { a: 1, c: 2 }],
  ['json1: itself', json1, { a: 1 }, [['a', { r: 1 }], ['b', { i: large }]], ['c', { i: 2 }], { a: 1, c: 2 }],
  ['json1, where it does not say what it removes: true comes back', json1, { a: 1 }, [['a', { r: true }], ['b', { i: large }]], ['c', { i: 2 }], { a: true, c: 2 }],
  ['text-unicode, when it only inserts: itself', text, 'ab', [large], [2002, '!'], 'ab!'],
  ['text-unicode, when it deletes: all that waits', text, 'ab', [{ d: 1 }, large], [2001, '!'], 'ab'],
  ['rich-text: all that waits', rich, [{ insert: 'ab\n' }], { ops: [{ insert: large }] }, { ops: [{ retain: 2002 }, { insert: '!' }] }, { ops: [{ insert: 'ab\n' }] }],
];

test('what a refused edit takes back', async t => {
  const server = await startServer(t, { args: ['--max-document', '1K'] });

  for (const [name, type, initial, first, second, expected] of refused)
    await t.test(name, async t => {
      const client = new Client(server);

      t.after(() => client.close());
      const doc = await client.open('refused', name.replaceAll(' ', ''), initial, type);
      const answers = await Promise.allSettled([first, second].map(op => promised(done => doc.submitOp(op, done))));

      assert.equal(answers[0].reason.code, 'ERR_LIMIT_EXCEEDED');
      assert.equal(answers[1].status, name.endsWith('all that waits') ? 'rejected' : 'fulfilled');
      assert.deepEqual(JSON.parse(JSON.stringify(doc.data)), expected);
    });
});

test('json1: of two who write to one place the later is refused, and misses what the first wrote until it fetches', async t => {
  const server = await startServer(t);
  const clients = [new Client(server), new Client(server)];
  const docs = [];

  t.after(() => clients.forEach(client => client.close()));
  for (const client of clients) docs.push(await client.open('conflict', 'x', {}, json1));
  const answers = await Promise.allSettled(docs.map((doc, i) => promised(done => doc.submitOp(['x', { i }], done))));
  const first = answers.findIndex(({ status }) => status === 'fulfilled');
  const later = docs[1 - first];

  assert.equal(answers[1 - first].reason.code, 'ERR_OT_TRANSFORM_CONFLICT');
  assert.deepEqual(later.data, {});
  await promised(done => later.fetch(done));
  for (const doc of docs) assert.deepEqual(doc.data, { x: first });
});
