// An operation sent again is acknowledged as it was, and done once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, settled } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';
import { TEXT, Wire } from '../lib/wire.mjs';

const server = await startServer({ after });
let one = await Wire.open(server);
let two = await Wire.open(server);
await one.shake();

const content = async d => (await two.fetch('notes', d)).data;

// The connection of `one` breaks; a new one goes on under its id.
async function comeBack() {
  const { id, seq } = one;

  await one.cut();
  one = await Wire.open(server);
  one.seq = seq;
  assert.equal((await one.shake(id)).id, id);
}

test('sent again over a new line: the same acknowledgement, no second operation', async () => {
  await one.createText('notes', 'again', '');
  const message = { a: 'op', c: 'notes', d: 'again', v: 1, src: one.id, seq: one.seq++, op: ['x'] };
  const reply = await one.ask(message);

  await comeBack();
  assert.deepEqual(await one.ask(message), reply);
  assert.deepEqual(await content('again'), { v: 2, data: 'x', type: TEXT });
});

test('sent again with a later version, behind other operations', async () => {
  await one.createText('notes', 'later', '');
  const message = { a: 'op', c: 'notes', d: 'later', v: 1, src: one.id, seq: one.seq++, op: ['x'] };
  const reply = await one.ask(message);

  await two.submit('notes', 'later', { v: 2, op: ['y'] });
  await comeBack();
  assert.equal((await one.ask({ ...message, v: 3, op: [1, 'x'] })).v, reply.v);
  assert.deepEqual(await content('later'), { v: 3, data: 'yx', type: TEXT });
  one.frames = [];
});

test('what lies between its version and where it was committed comes before the acknowledgement', async () => {
  await one.createText('notes', 'between', '');
  await two.submit('notes', 'between', { v: 1, op: ['y'] });
  const message = { a: 'op', c: 'notes', d: 'between', v: 1, src: one.id, seq: one.seq++, op: ['x'] };
  await one.ask(message);
  one.frames = [];

  await comeBack();
  one.send(message);
  const missed = await one.next();
  assert.deepEqual([missed.v, missed.op], [1, ['y']]);
  assert.deepEqual(await one.next(), { a: 'op', c: 'notes', d: 'between', v: 2, src: one.id, seq: message.seq });
  await one.nothingMore();
});

test('sent again after kill -9 and a restart', async () => {
  await one.createText('notes', 'restart', '');
  const message = { a: 'op', c: 'notes', d: 'restart', v: 1, src: one.id, seq: one.seq++, op: ['x'] };
  const reply = await one.ask(message);

  await server.kill();
  await server.restart();
  two = await Wire.open(server);
  await comeBack();
  assert.deepEqual(await one.ask(message), reply);
  assert.deepEqual(await content('restart'), { v: 2, data: 'x', type: TEXT });
});

test('an older one, behind newer ones of the same source', async () => {
  await one.createText('notes', 'older', '');
  const messages = Array.from({ length: 200 }, (_, i) => (
    { a: 'op', c: 'notes', d: 'older', v: 1 + i, src: one.id, seq: one.seq++, op: ['x'] }));
  for (const message of messages)
    await one.ask(message);
  for (const i of [0, 1, 100, 198, 199]) {
    assert.equal((await one.ask(messages[i])).v, 1 + i);
    one.frames = [];
  }
  assert.equal((await content('older')).v, 201);
});

test('a create sent again after the document was deleted does not create it again', async () => {
  const message = { a: 'op', c: 'notes', d: 'create', v: null, src: one.id, seq: one.seq++, create: { type: TEXT, data: 'x' } };

  await one.ask(message);
  await one.submit('notes', 'create', { v: 1, del: true });
  await comeBack();
  assert.equal((await one.ask(message)).v, 0);
  assert.deepEqual(await content('create'), { v: 2, type: null });
});

test('two sendings at once, over two lines: both are acknowledged, it is done once', async () => {
  const twin = await Wire.open(server);

  await twin.shake(one.id);
  await one.createText('notes', 'race', '');
  for (let v = 1; v <= 50; v++) {
    const message = { a: 'op', c: 'notes', d: 'race', v, src: one.id, seq: one.seq++, op: ['x'] };
    const replies = await Promise.all([one.ask(message), twin.ask(message)]);
    assert.deepEqual(replies.map(reply => reply.v), [v, v]);
  }
  assert.equal((await content('race')).data, 'x'.repeat(50));
  await twin.close();
});

test('the same pair on another document is another operation', async () => {
  await one.createText('notes', 'here', '');
  await one.createText('notes', 'there', '');
  const { seq } = one;
  await one.submit('notes', 'here', { v: 1, seq, op: ['x'] });
  assert.equal((await one.submit('notes', 'there', { v: 1, seq, op: ['x'] })).v, 1);
  one.seq++;
  assert.equal((await content('there')).data, 'x');
});

test('a refused operation does not use up its number', async () => {
  await one.createText('notes', 'refused', '');
  const { seq } = one;
  assert.equal((await one.submit('notes', 'refused', { v: 1, seq, op: [9, 'x'] })).error.code, 'ERR_OT_OP_NOT_APPLIED');
  assert.equal((await one.submit('notes', 'refused', { v: 1, seq, op: ['x'] })).v, 1);
  one.seq = seq + 1;
});

test('nobody speaks as a source that the server did not give him', async () => {
  await one.createText('notes', 'foreign', '');
  for (const src of ['someone', '', one.id.slice(0, -2) + 'zz']) {
    const reply = await two.submit('notes', 'foreign', { v: 1, src, op: ['x'] });
    assert.match(reply.error.code, /^ERR_(OP_SRC_NOT_OWNED|MESSAGE_BADLY_FORMED|OT_OP_BADLY_FORMED)$/);
  }
  assert.equal((await content('foreign')).v, 1);
});

test('the npm client, cut again and again while an operation is on its way, has each done once', async () => {
  const client = new Client(server, { again: () => 1 });
  const doc = await client.open('notes', 'npm', '');

  for (let i = 0; i < 60; i++) {
    doc.submitOp([String(i % 10)]);
    await new Promise(resolve => setTimeout(resolve, i % 5)); // before sending, on the way, or after the answer
    client.cut();
    await settled([doc]);
  }
  const { v, data } = await content('npm');
  assert.equal(v, 61);
  assert.equal(data, Array.from({ length: 60 }, (_, i) => (59 - i) % 10).join(''));
  assert.equal(doc.data, data);
  assert.deepEqual(client.errors, []);
  client.close();
});
