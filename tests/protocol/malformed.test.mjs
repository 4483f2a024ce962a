// Bad input. Every row gets its documented error or close code, changes nothing, and costs the others nothing.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pilcrowdSanitized, startServer } from '../lib/server.mjs';
import { TEXT, Wire } from '../lib/wire.mjs';

const BAD = 'ERR_MESSAGE_BADLY_FORMED';
const FORM = 'ERR_OT_OP_BADLY_FORMED';
const FIT = 'ERR_OT_OP_NOT_APPLIED';
const LIMIT = 'ERR_LIMIT_EXCEEDED';
const AHEAD = 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT';
const CONTENT = 'a😀b';
const REFUSED_NAMES = ['__proto__', '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__', 'constructor',
  'hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable', 'prototype', 'toLocaleString', 'toString', 'valueOf'];
const BAD_NAMES = [...REFUSED_NAMES, '', 'x'.repeat(129), 'ä'.repeat(65), 'a\u0000b', 'a\n', '\u007f', 7, null, {}, [], true, undefined];

const server = await startServer({ after }, { program: pilcrowdSanitized });
const bystander = await Wire.open(server);
await bystander.createText('notes', 'victim', CONTENT);
await bystander.ask({ a: 's', c: 'notes', d: 'victim', v: null });

// A frame as text in which op, v ... stand as they would on the wire.
const frame = (fields, raw = '') => JSON.stringify({ a: 'op', c: 'notes', d: 'victim', ...fields }).slice(0, -1) + raw + '}';
const edit = (op, fields = {}) => ({ a: 'op', c: 'notes', d: 'victim', v: 1, seq: 1, op, ...fields });

async function assertNothingHappened() {
  assert(server.isRunning, `the server died:\n${server.output}`);
  await bystander.nothingMore();
  assert.deepEqual((await bystander.fetch('notes', 'victim')).data, { v: 1, data: CONTENT, type: TEXT });
}

// want: an error code, or a list of codes that are equally right. The line stays.
async function assertRefused(message, want, what) {
  const wire = await Wire.open(server);

  wire.send(message);
  wire.send({ a: 'pp', id: 99 });
  const reply = await wire.next();
  assert([want].flat().includes(reply.error?.code), `${what}: wanted ${want}, got ${JSON.stringify(reply).slice(0, 300)}`);
  assert.equal(typeof reply.error.message, 'string');
  assert.deepEqual(await wire.next(), { a: 'pp', id: 99 }, `${what}: the line stays, and there is one reply`);
  await wire.close();
  return reply;
}

// want: a close code. withError: an error frame comes first.
async function assertClosed(message, want, withError, options) {
  const wire = await Wire.open(server);

  wire.socket.send(message, options);
  const end = await wire.closed;
  assert([want].flat().includes(end.code), `wanted ${want}, got ${end.code}`);
  if (withError)
    assert.deepEqual(wire.frames.map(reply => reply.error?.code), [BAD]);
}

function refused(name, rows) {
  test(name, async () => {
    for (const [message, want] of rows)
      await assertRefused(message, want, (typeof message === 'string' ? message : JSON.stringify(message) || '').slice(0, 120));
    await assertNothingHappened();
  });
}

test('what is no JSON object: an error, then 1007', async () => {
  for (const text of ['', ' ', '{', 'hello', '{"a":"pp"', '{"a":"pp"}x', '{"a":"pp"}{"a":"pp"}', "{'a':'pp'}", '{"a":pp}', '{"a":"pp",}',
    '{"a":NaN}', '{"a":01}', '{"a":"\u0001"}', '{"a":"\\x"}', '{"a":"\\ud83"}', '\ufeff{"a":"pp"}', 'null', '5', '"x"', 'true', '[]',
    '[{"a":"pp"}]', '{"a":"pp","x":' + '['.repeat(100_000)])
    await assertClosed(text, 1007, true);
  await assertNothingHappened();
});

test('invalid UTF-8: 1007', async () => {
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0xbd], [0xf4, 0x90, 0x80, 0x80], [0xe6, 0xbc], [0x80]])
    await assertClosed(Buffer.concat([Buffer.from('{"a":"pp","x":"'), Buffer.from(bytes), Buffer.from('"}')]), 1007, false, { binary: false });
  await assertNothingHappened();
});

test('a binary frame: 1003', async () => {
  await assertClosed(Buffer.from('{"a":"pp"}'), 1003, false, { binary: true });
  await assertNothingHappened();
});

test('a frame of 17 MiB: refused by what its beginning tells; 1009 when it tells nothing', async () => {
  const reply = await assertRefused(edit(['x'.repeat(17 * 1024 * 1024)]), LIMIT, '17 MiB');
  assert.deepEqual([reply.a, reply.c, reply.d, reply.seq], ['op', 'notes', 'victim', 1]);
  await assertClosed('x'.repeat(17 * 1024 * 1024), 1009, false);
  await assertNothingHappened();
});

refused('nested too deep', [
  [frame({ v: 1, seq: 1 }, `,"op":${'['.repeat(20_000)}${']'.repeat(20_000)}`), LIMIT],
  [frame({ v: 1, seq: 1 }, `,"op":${'[{"d":'.repeat(300)}1${'}]'.repeat(300)}`), LIMIT],
  [frame({ v: 1, seq: 1 }, `,"create":{"type":"text-unicode","data":${'['.repeat(250)}${']'.repeat(250)}}`), LIMIT],
]);

refused('an action that does not exist', [
  [{}, BAD], [{ a: 'zz' }, BAD], [{ a: '' }, BAD], [{ a: 5 }, BAD], [{ a: null }, BAD], [{ a: ['op'] }, BAD], [{ a: {} }, BAD],
  [{ a: 'init' }, BAD], [{ a: 'q', id: 1 }, BAD], [{ a: 'OP', c: 'notes', d: 'victim' }, BAD], [{ a: 'constructor' }, BAD],
]);

for (const field of ['c', 'd'])
  refused(`names that are none, as ${field}`, ['f', 's', 'u', 'op'].flatMap(a => BAD_NAMES.map(name => (
    [{ a, c: 'notes', d: 'victim', v: 1, seq: 1, ...(a === 'op' ? { op: ['x'] } : {}), [field]: name }, BAD]))));

refused('versions of the wrong kind', [
  ...[-1, 1.5, 1e300, '1', '', true, {}, [], 9007199254740993.5].flatMap(v => [
    [edit(['x'], { v }), BAD], [{ a: 'f', c: 'notes', d: 'victim', v }, BAD], [{ a: 's', c: 'notes', d: 'victim', v }, BAD]]),
  [frame({ seq: 1, op: ['x'] }, ',"v":1e400'), BAD],
]);

refused('versions of the future', [
  [edit(['x'], { v: 2 }), AHEAD], [edit(['x'], { v: 2 ** 53 - 1 }), AHEAD], [edit(undefined, { v: 99, del: true }), AHEAD],
]);

refused('numbers and sources of the wrong kind', [
  ...[-1, 1.5, '1', true, {}, [], null, undefined].map(seq => [edit(['x'], { seq }), [BAD, FORM]]),
  [edit(['x'], { seq: 2 ** 53 - 1 }), 'ERR_CONNECTION_SEQ_INTEGER_OVERFLOW'],
  [edit(['x'], { seq: 2 ** 60 }), 'ERR_CONNECTION_SEQ_INTEGER_OVERFLOW'],
  ...[7, true, {}, []].map(src => [edit(['x'], { src }), FORM]),
  ...REFUSED_NAMES.map(src => [edit(['x'], { src }), ['ERR_OP_SRC_NOT_OWNED', BAD, FORM]]),
]);

refused('none or several of op, create, del', [
  [edit(undefined), BAD], [edit(['x'], { del: true }), BAD], [edit(['x'], { create: { type: TEXT } }), BAD],
  [edit(undefined, { del: true, create: { type: TEXT } }), BAD],
]);

refused('del and create of the wrong form', [
  ...[false, 1, 'true', {}, []].map(del => [edit(undefined, { del }), [FORM, BAD]]),
  ...[5, 'text-unicode', [], true, {}, { type: 5 }, { type: null }, { data: 'x' }].map(create => [
    edit(undefined, { d: 'new', v: null, create }), [FORM, BAD, 'ERR_DOC_TYPE_NOT_RECOGNIZED']]),
  ...[5, {}, [], true].map(data => [edit(undefined, { d: 'new', v: null, create: { type: TEXT, data } }), [FORM, FIT]]),
]);

refused('operations that are none', [
  ...['x', 5, true, {}, { d: 1 }, null].map(op => [edit(op), [FORM, FIT]]),
  ...[null, true, [], [1], {}, { x: 1 }, { d: null }, { d: [] }, { d: -1 }, { d: 1.5 }, -1, 0.5, 1e300].map(part => [edit([part]), [FORM, FIT]]),
]);

refused('operations that do not fit the document', [
  [edit([4, 'x']), FIT], [edit([{ d: 9 }]), FIT], [edit([2, { d: 2 }]), FIT], [edit([1, { d: 'zz' }]), FIT], [edit([2 ** 53 - 1, 'x']), [FIT, LIMIT]],
  [edit([1, 'fits', 99, 'does not: all or nothing']), FIT],
]);

refused('lone surrogates, in operations and elsewhere', [
  [frame({ v: 1, seq: 1 }, ',"op":["\\ud83d"]'), FIT],
  [frame({ v: 1, seq: 1 }, ',"op":["\\ude00\\ud83d"]'), FIT],
  [frame({ v: 1, seq: 1 }, ',"op":["x\\ud83dx"]'), FIT],
  [frame({ d: 'new', v: null, seq: 1 }, ',"create":{"type":"text-unicode","data":"\\udc00"}'), FIT],
  ['{"a":"f","c":"notes","d":"\\ud83d"}', BAD],
]);

refused('numbers beyond double, and U+0000 in keys', [
  [frame({ v: 1, seq: 1 }, ',"op":[1e400]'), [FIT, FORM]],
  [frame({ v: 1, seq: 1 }, ',"op":[{"d\\u0000":1}]'), [BAD, FIT, FORM]],
]);

refused('more components than the ceiling', [
  [edit(Array.from({ length: 100_002 }, (_, i) => (i % 2 ? { d: 1 } : 'x'))), LIMIT],
]);

refused('nested too deep where nobody looks', [
  [{ a: 'f', c: 'notes', d: 'victim', v: -1, x: JSON.parse('{"x":'.repeat(1000) + '1' + '}'.repeat(1000)) }, LIMIT],
  [frame({ v: 1, seq: 1, op: ['x'] }, `,"x":${'{"x":'.repeat(1000)}1${'}'.repeat(1000)}`), LIMIT],
]);

test('a refusal echoes a c d v seq, not the operation, and no error of the client', async () => {
  const reply = await assertRefused(edit([99, 'x'.repeat(5000)], { error: { code: 'MINE', message: 'mine' } }), FIT, 'echo');

  assert.deepEqual({ ...reply, error: null }, { a: 'op', c: 'notes', d: 'victim', v: 1, seq: 1, error: null });
  assert.doesNotMatch(reply.error.message, /mine|\/|\.c\b/);
});

test('what is odd but right is served', async () => {
  const wire = await Wire.open(server);

  await wire.createText('notes', 'odd', 'x');
  wire.send('{"a":"f","c":"notes","d":"odd","v":1.0}');
  assert.deepEqual(await wire.next(), { a: 'f', c: 'notes', d: 'odd' });
  wire.send('{"a":"f","c":"notes","d":"odd","v":1e0}');
  assert.deepEqual(await wire.next(), { a: 'f', c: 'notes', d: 'odd' });
  wire.send('\r\n\t {"v":1, "future":{"a":[1]}, "d":"nobody" ,"d":"\\u006fdd","c":"notes","a":"f"} \n');
  assert.deepEqual(await wire.next(), { a: 'f', c: 'notes', d: 'odd' });
  await wire.close();
});

test('a refused frame leaves subscriptions and what else is on the line as it was', async () => {
  const wire = await Wire.open(server);

  await bystander.createText('notes', 'kept', '');
  await wire.ask({ a: 's', c: 'notes', d: 'kept', v: null });
  for (const message of [{ a: 'zz' }, edit([99, 'x']), edit(['x'], { v: -1 }), { a: 's', c: 'notes', d: 'kept', v: -1 }])
    assert((await wire.ask(message)).error);
  await bystander.submit('notes', 'kept', { v: 1, op: ['x'] });
  assert.equal((await wire.next()).v, 1);
  await wire.close();
});

test('hundreds of bad frames in a row, and a good one behind them', async () => {
  const wire = await Wire.open(server);

  for (let i = 0; i < 500; i++)
    wire.send(i % 2 ? { a: 'zz', c: 'notes', d: `${i}` } : edit([99, 'x'], { seq: i }));
  const reply = await wire.ask({ a: 'pp' });
  assert.deepEqual(reply, { a: 'pp' });
  assert.equal(wire.frames.length, 500);
  assert(wire.frames.every(answer => answer.error));
  await wire.close();
  await assertNothingHappened();
});

test('the server says nothing about memory when it ends', async () => {
  await bystander.close();
  const end = await server.stop();

  assert.deepEqual(end, { code: 0, signal: null }, server.output);
  assert.doesNotMatch(server.output, /Sanitizer|runtime error/);
});
