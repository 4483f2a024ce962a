// Submitting, acknowledging, streaming, transforming; create, delete, nothing.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, json0, json1, promised, rich, text } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { JSON0, TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
const one = await Wire.open(server);
const two = await Wire.open(server);

const content = async d => (await one.fetch('notes', d)).data;
const code = reply => reply.error?.code;

test('an acknowledgement is a c d v src seq and nothing else', async () => {
  const reply = await one.submit('notes', 'ack', { v: null, create: { type: TEXT, data: 'x' } });

  assert.deepEqual(reply, { a: 'op', c: 'notes', d: 'ack', v: 0, src: one.init.id, seq: one.seq - 1 });
  assert.deepEqual(await one.submit('notes', 'ack', { v: 1, op: [1, 'y'] }),
    { a: 'op', c: 'notes', d: 'ack', v: 1, src: one.init.id, seq: one.seq - 1 });
});

test('the short name of a type is stored and streamed as its URI; no data is an empty text', async () => {
  await one.submit('notes', 'short', { v: null, create: { type: 'text-unicode' } });
  assert.deepEqual(await content('short'), { v: 1, data: '', type: TEXT });
  assert.equal((await one.log('notes', 'short'))[0].create.type, TEXT);
});

for (const [type, empty] of [[TEXT, ''], [JSON0, null], [json1.uri, null], [rich.uri, { ops: [] }]])
  test(`no data is ${JSON.stringify(empty)} in ${type}, streamed, fetched and logged`, async () => {
    const d = `no data ${type}`;

    await two.ask({ a: 's', c: 'notes', d, v: null });
    await one.submit('notes', d, { v: null, create: { type } });
    assert.deepEqual((await two.next()).create, { type, data: empty });
    assert.deepEqual(await content(d), { v: 1, data: empty, ...(type === JSON0 ? {} : { type }) });
    assert.deepEqual((await one.log('notes', d))[0].create, { type, data: empty });
    await two.ask({ a: 'u', c: 'notes', d });
  });

test('json1: one npm client creates without data, another fetches null, and replaces it', async () => {
  const client = new Client(server);
  const other = new Client(server);
  const doc = client.connection.get('notes', 'json1 without data');
  const seen = other.connection.get('notes', 'json1 without data');

  await promised(done => doc.create(undefined, json1.uri, done));
  assert.equal(doc.data, undefined);
  await promised(done => seen.fetch(done));
  assert.equal(seen.data, null);
  await promised(done => seen.submitOp([{ r: true, i: { a: 1 } }], done));
  assert.deepEqual(await content(doc.id), { v: 2, data: { a: 1 }, type: json1.uri });
  assert.deepEqual([...client.errors, ...other.errors], []);
  client.close();
  other.close();
});

test('an unknown type is refused', async () => {
  assert.match(code(await one.submit('notes', 'odd', { v: null, create: { type: 'http://example.org/odd' } })),
    /^ERR_(DOC_TYPE_NOT_RECOGNIZED|OT_OP_BADLY_FORMED)$/);
  assert.deepEqual(await content('odd'), { v: 0, type: null });
});

test('a late operation is transformed; what it missed comes first, then its acknowledgement', async () => {
  await one.createText('notes', 'late', 'abc');
  await one.submit('notes', 'late', { v: 1, op: ['X'] });
  await one.submit('notes', 'late', { v: 2, op: [1, 'Y'] });

  two.send({ a: 'op', c: 'notes', d: 'late', v: 1, seq: two.seq, op: [1, { d: 1 }] });
  assert.deepEqual((await two.next()).op, ['X']);
  assert.deepEqual((await two.next()).op, [1, 'Y']);
  assert.deepEqual(await two.next(), { a: 'op', c: 'notes', d: 'late', v: 3, src: two.init.id, seq: two.seq++ });
  assert.equal((await content('late')).data, 'XYac');
});

test('of two insertions at one place the later one stands before', async () => {
  await one.createText('notes', 'place', '');
  await one.submit('notes', 'place', { v: 1, op: ['first'] });
  await two.submit('notes', 'place', { v: 1, op: ['second'] });
  assert.equal((await content('place')).data, 'secondfirst');
  two.frames = [];
});

test('the author does not hear his own operation, neither over another connection with his id', async () => {
  const twin = await Wire.open(server);

  await one.shake();
  await twin.shake(one.id);
  await one.createText('notes', 'own', '');
  for (const wire of [one, twin, two])
    await wire.ask({ a: 's', c: 'notes', d: 'own', v: 1 });
  await one.submit('notes', 'own', { v: 1, op: ['a'] });
  await one.nothingMore();
  await twin.nothingMore();
  assert.equal((await two.next()).v, 1);
  for (const wire of [one, two])
    await wire.ask({ a: 'u', c: 'notes', d: 'own' });
  await twin.close();
});

test('a subscriber that submits late is told each operation once', async () => {
  await one.createText('notes', 'once', '');
  await two.ask({ a: 's', c: 'notes', d: 'once', v: 1 });
  await one.submit('notes', 'once', { v: 1, op: ['a'] });
  await two.submit('notes', 'once', { v: 1, op: ['b'] });
  await two.ask({ a: 'pp' });
  const versions = two.frames.splice(0).map(frame => frame.v);
  assert.deepEqual([...new Set(versions)], [1]);
  await two.ask({ a: 'u', c: 'notes', d: 'once' });
});

test('m and x are neither stored nor sent on', async () => {
  await one.createText('notes', 'private', '');
  await two.ask({ a: 's', c: 'notes', d: 'private', v: 1 });
  await one.submit('notes', 'private', { v: 1, op: ['a'], x: { source: 'me' }, m: { ts: 1 } });
  assert.deepEqual(Object.keys(await two.next()).sort(), ['a', 'c', 'd', 'op', 'seq', 'src', 'v']);
  assert.deepEqual(Object.keys((await one.log('notes', 'private', 1))[0]).sort(), ['a', 'c', 'd', 'op', 'seq', 'src', 'v']);
  await two.ask({ a: 'u', c: 'notes', d: 'private' });
});

test('an operation that does nothing makes a version and is streamed', async () => {
  await one.createText('notes', 'nothing', 'a');
  await two.ask({ a: 's', c: 'notes', d: 'nothing', v: 1 });
  assert.equal((await one.submit('notes', 'nothing', { v: 1, op: [] })).v, 1);
  assert.equal((await two.next()).v, 1);
  assert.deepEqual(await content('nothing'), { v: 2, data: 'a', type: TEXT });
  await two.ask({ a: 'u', c: 'notes', d: 'nothing' });
});

test('an operation that came to nothing by transforming makes a version', async () => {
  await one.createText('notes', 'vain', 'abc');
  await one.submit('notes', 'vain', { v: 1, op: [{ d: 3 }] });
  assert.equal((await two.submit('notes', 'vain', { v: 1, op: [1, { d: 1 }] })).v, 2);
  two.frames = [];
  assert.deepEqual(await content('vain'), { v: 3, data: '', type: TEXT });
});

test('the log holds normal form, whatever was sent', async () => {
  await one.createText('notes', 'normal', 'abc');
  const reply = await one.submit('notes', 'normal', { v: 1, op: ['x', 'y', 1, { d: 1 }] });
  if (code(reply)) // refusing it is the other documented answer
    assert.match(code(reply), /^ERR_OT_OP_/);
  else
    assert.deepEqual((await one.log('notes', 'normal', 1))[0].op, ['xy', 1, { d: 1 }]);
});

test('a deletion that names its text must name what is there', async () => {
  await one.createText('notes', 'named', 'a😀b');
  assert.equal(code(await one.submit('notes', 'named', { v: 1, op: [1, { d: 'x' }] })), 'ERR_OT_OP_NOT_APPLIED');
  assert.equal((await one.submit('notes', 'named', { v: 1, op: [1, { d: '😀' }] })).v, 1);
  assert.equal((await content('named')).data, 'ab');
});

test('text of any script survives', async () => {
  const awkward = 'a\u0000\u0001\t\n"\\/ä漢😀👍🏽\u2028\u2029\ufeff\uffff';

  await one.createText('notes', 'awkward', awkward);
  await one.submit('notes', 'awkward', { v: 1, op: [awkward] });
  assert.equal((await content('awkward')).data, awkward + awkward);
  assert.deepEqual((await one.log('notes', 'awkward', 1))[0].op, [awkward]);
});

test('delete, and a new document in the same log', async () => {
  await one.createText('notes', 'reborn', 'old');
  assert.equal((await one.submit('notes', 'reborn', { v: 1, del: true })).v, 1);
  assert.deepEqual(await content('reborn'), { v: 2, type: null });
  assert.equal((await one.submit('notes', 'reborn', { v: 2, create: { type: TEXT, data: 'new' } })).v, 2);
  assert.deepEqual(await content('reborn'), { v: 3, data: 'new', type: TEXT });
});

// What meets what (docs/protocol.md), and applying at the head: { before: what is committed after version 1 }, submitted for version 1.
const meetings = [
  ['edit meets create of now', [{ del: true }, { create: { type: TEXT, data: 'new' } }], { op: ['x'] }, 'ERR_DOC_WAS_DELETED'],
  ['create meets edit', [{ op: ['y'] }], { create: { type: TEXT } }, 'ERR_DOC_ALREADY_CREATED'],
  ['create on what exists', [], { create: { type: TEXT } }, 'ERR_DOC_ALREADY_CREATED'],
  ['create without version on what exists', [], { v: null, create: { type: TEXT } }, 'ERR_DOC_ALREADY_CREATED'],
  ['delete meets edit', [{ op: ['y'] }], { del: true }, undefined],
  ['edit meets delete', [{ del: true }], { op: ['x'] }, 'ERR_DOC_WAS_DELETED'],
  ['delete meets delete', [{ del: true }], { del: true }, undefined],
];

for (const [name, between, fields, want] of meetings)
  test(`${name}: ${want || 'goes through'}`, async () => {
    const d = `meet ${name}`;
    let v = 1;

    await one.createText('notes', d, 'old');
    for (const step of between)
      await one.submit('notes', d, { v: v++, ...step });
    const before = await content(d);
    const reply = await two.submit('notes', d, { v: 1, ...fields });
    two.frames = [];
    assert.equal(code(reply), want);
    if (want)
      assert.deepEqual(await content(d), before);
    else
      assert.equal(reply.v, v);
  });

test('an edit of what does not exist, and a delete of what never did, are refused', async () => {
  assert.equal(code(await one.submit('notes', 'missing', { v: 0, op: ['x'] })), 'ERR_DOC_DOES_NOT_EXIST');
  assert.equal(code(await one.submit('notes', 'missing', { v: 0, del: true })), 'ERR_DOC_DOES_NOT_EXIST');
  assert.deepEqual(await content('missing'), { v: 0, type: null });
});

test('operations of one connection are taken in the order of arrival, also when versions are foretold', async () => {
  const N = 300;

  await one.createText('notes', 'foretold', '');
  for (let i = 0; i < N; i++)
    one.send({ a: 'op', c: 'notes', d: 'foretold', v: 1 + i, seq: one.seq++, op: i ? [i, String(i % 10)] : ['0'] });
  for (let i = 0; i < N; i++)
    assert.equal((await one.next()).v, 1 + i);
  assert.equal((await content('foretold')).data, Array.from({ length: N }, (_, i) => i % 10).join(''));
});

test('a fetch behind an operation tells of it', async () => {
  await one.createText('notes', 'behind', '');
  one.send({ a: 'op', c: 'notes', d: 'behind', v: 1, seq: one.seq++, op: ['x'] });
  assert.deepEqual((await one.fetch('notes', 'behind')).data, { v: 2, data: 'x', type: TEXT });
  assert.equal((await one.next()).v, 1);
});

test('a text of 1 MiB is created, edited and read', async () => {
  const big = 'ä'.repeat(512 * 1024);

  await one.createText('notes', 'big', big);
  await one.submit('notes', 'big', { v: 1, op: [512 * 1024, '!'] });
  assert.equal((await content('big')).data, big + '!');
});

const LIST = [{ t: 'a' }, { t: 'b' }, { t: 'c', 1: 0 }];

test('json0: a list position named by a string is applied, and logged and streamed as a number', async () => {
  await one.submit('notes', 'digits', { v: null, create: { type: JSON0, data: LIST } });
  await two.ask({ a: 's', c: 'notes', d: 'digits', v: 1 });
  await one.submit('notes', 'digits', { v: 1, op: [{ p: ['0', 't'], oi: 'A' }, { p: ['2'], lm: '1' }, { p: ['1', '1'], na: 1 }] });
  const { op } = await two.next();
  assert.deepEqual(op, [{ p: [0, 't'], oi: 'A' }, { p: [2], lm: 1 }, { p: [1, '1'], na: 1 }]);
  assert.deepEqual((await one.log('notes', 'digits', 1))[0].op, op);
  assert.deepEqual(await content('digits'), { v: 2, data: [{ t: 'A' }, { t: 'c', 1: 1 }, { t: 'b' }] });
  assert.equal(code(await one.submit('notes', 'digits', { v: 2, op: [{ p: ['03', 't'], oi: 'A' }] })), 'ERR_OT_OP_NOT_APPLIED');
  await two.ask({ a: 'u', c: 'notes', d: 'digits' });
});

for (const [what, theirs] of [
  ['an insertion before it', { p: [0], li: 0 }],
  ['an insertion behind it', { p: [2], li: 0 }],
  ['a deletion before it', { p: [0], ld: LIST[0] }],
  ['its deletion', { p: [1], ld: LIST[1] }],
  ['its replacement', { p: [1], ld: LIST[1], li: 0 }],
  ['its move', { p: [1], lm: 2 }],
  ['a move over it', { p: [0], lm: 2 }],
])
  test(`json0: the npm client names a position by a string, late, after ${what}: it sees what is stored`, async () => {
    const client = new Client(server);
    const doc = client.connection.get('notes', `digits, ${what}`);

    await promised(done => doc.create(LIST, json0.uri, done));
    await one.submit('notes', doc.id, { v: 1, op: [theirs] });
    await promised(done => doc.submitOp([{ p: ['1', 't'], od: 'b', oi: 'B' }], done));
    assert.deepEqual(await content(doc.id), { v: 3, data: doc.data });
    assert.deepEqual(client.errors, []);
    client.close();
  });

test('the npm client creates, edits, deletes and creates again', async () => {
  const client = new Client(server);
  const other = new Client(server);
  const doc = await client.open('notes', 'npm', 'hello');
  const seen = await other.open('notes', 'npm');

  await promised(done => doc.submitOp([5, ' world'], done));
  await promised(done => seen.fetch(done));
  assert.equal(seen.data, 'hello world');
  await promised(done => doc.del(done));
  await promised(done => seen.fetch(done));
  assert.equal(seen.type, null);
  await promised(done => seen.create('again', text.uri, done));
  await promised(done => doc.fetch(done));
  assert.equal(doc.data, 'again');
  assert.equal(doc.version, 4);
  assert.deepEqual([...client.errors, ...other.errors], []);
  client.close();
  other.close();
});

test('the npm client rolls a refused operation back and goes on', async () => {
  const client = new Client(server);
  const doc = await client.open('notes', 'npm refused', 'abc');

  // Behind the client's back: an operation that its type would never make.
  doc.type = { ...doc.type, apply: content => content, checkOp: () => {} };
  await assert.rejects(promised(done => doc.submitOp([{ d: 9 }], done)), { code: 'ERR_OT_OP_NOT_APPLIED' });
  await promised(done => doc.fetch(done));
  assert.equal(doc.data, 'abc');
  await promised(done => doc.submitOp([3, 'd'], done));
  assert.equal((await content('npm refused')).data, 'abcd');
  client.close();
});
