// Eight editors in one document, with the unmodified npm client: each sees the others' carets, and no ghosts stay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, promised, rich, settled, warnings } from '../lib/client.mjs';
import { startServer } from '../lib/server.mjs';

const N_EDITORS = 8;

async function openEditor(server, i) {
  const client = new Client(server, { again: () => 20 + 10 * i });
  const doc = await client.open('notes', 'shared', { ops: [{ insert: 'Eight carets in one document.' }] }, rich);
  const presence = client.connection.getDocPresence('notes', 'shared');

  presence.on('error', error => client.errors.push(error));
  await promised(done => presence.subscribe(done));
  const caret = presence.create(`caret-${i}`);
  await promised(done => caret.submit({ index: i, length: 1, name: `editor ${i}` }, done));
  return { client, doc, presence, caret };
}

async function until(what, isSo) {
  for (const deadline = Date.now() + 30_000; !isSo(); ) {
    assert(Date.now() < deadline, `in vain: ${what()}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

const seen = ({ presence }) => Object.keys(presence.remotePresences).filter(id => presence.remotePresences[id]).sort();
const others = (editors, me) => editors.filter(editor => editor !== me).map(({ caret }) => caret.presenceId).sort();

const allSeeEachOther = editors => until(() => JSON.stringify(editors.map(seen)),
  () => editors.every(editor => seen(editor).join() === others(editors, editor).join()));

test('carets of eight editors: seen by all, moved by operations, gone with their editors, back after a restart', async t => {
  const server = await startServer(t);
  let editors = [];

  for (let i = 0; i < N_EDITORS; i++) editors.push(await openEditor(server, i));
  await allSeeEachOther(editors);

  // All type at once, each at its own caret: what is seen of a caret is what it is.
  for (let k = 0; k < 20; k++)
    for (const { doc } of editors) doc.submitOp({ ops: [{ insert: 'x' }] });
  await settled(editors.map(({ doc }) => doc));
  await until(() => 'versions differ', () => editors.every(({ doc }) => doc.version === 1 + 20 * N_EDITORS));
  await Promise.all(editors.map(({ caret }) => promised(done => caret.submit({ ...caret.value }, done))));
  await until(() => 'carets differ', () => editors.every(({ caret }) => editors.every(({ presence }) =>
    !(caret.presenceId in presence.remotePresences) || JSON.stringify(presence.remotePresences[caret.presenceId]) === JSON.stringify(caret.value))));

  // Two die without a word.
  for (const { client } of editors.slice(0, 2)) {
    client.isOver = true;
    client.connection.socket.terminate();
  }
  editors = editors.slice(2);
  await allSeeEachOther(editors);

  // The server dies and comes back: they all are there again, and nobody else.
  await server.kill();
  await server.restart();
  await allSeeEachOther(editors);

  for (const { client } of editors) assert.deepEqual(client.errors, []);
  assert.deepEqual(warnings.splice(0), []);
  for (const { client } of editors) client.close();
});
