// Editors without a page, real ShareDB clients, and ShareDB's own server in the same process.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { history, redo, undo } from '@codemirror/commands';
import { EditorSelection, EditorState, Text } from '@codemirror/state';
import { load } from './load.mjs';
import { below, oneOf, random, randomText, seed } from './random.mjs';

const require = createRequire(import.meta.url);
const ShareDB = require('sharedb');
const { type } = require('ot-text-unicode');
const { Binding, INSERT_MAX_UNITS, PARTS_MAX, wellFormed } = await load('binding', 'well-formed');
const promised = fn => new Promise((resolve, reject) => fn(error => (error ? reject(error) : resolve())));

ShareDB.types.register(type);
ShareDB.logger.setMethods({ info() {}, warn() {}, error() {} });

// What a page is, without the page.
class Writer {
  isComposingNow = false;
  refusals = [];

  constructor(backend) {
    this.connection = backend.connect();
    this.doc = this.connection.get('notes', 'n');
    this.state = EditorState.create({ extensions: [EditorState.lineSeparator.of('\n'), history(), wellFormed()] });
  }

  async open(text = '') {
    await promised(done => this.doc.subscribe(done));
    if (!this.doc.type) await promised(done => this.doc.create(text, type.uri, done));
    this.connection.on('receive', ({ data }) => this.binding.foresee(data.a === 'op' && Boolean(data.error)));
    this.binding = new Binding(this.doc, this, { changed() {}, refused: error => this.refusals.push({ error, text: this.binding.rescuedText() }) });
    return this;
  }

  isComposing() {
    return this.isComposingNow;
  }

  dispatch(spec) {
    const transaction = this.state.update(spec);

    this.state = transaction.state;
    this.binding?.applied(transaction);
  }

  type(from, insert, to = from) {
    this.dispatch({ changes: { from, to, insert }, userEvent: 'input.type' });
  }

  do(command) {
    return command({ state: this.state, dispatch: transaction => this.dispatch(transaction) });
  }

  // Undo steps join what is typed in one go; here every edit is its own.
  dispatchAlone(spec) {
    this.dispatch({ ...spec, userEvent: undefined });
  }

  get text() {
    return this.state.doc.toString();
  }
}

async function room(nWriters, text) {
  const backend = new ShareDB({ doNotForwardSendPresenceErrorsToClient: true });
  const writers = [];

  for (let i = 0; i < nWriters; i++) writers.push(await new Writer(backend).open(text));
  return { backend, writers };
}

async function settled(writers) {
  for (const { doc } of writers) await new Promise(done => doc.whenNothingPending(done));
  await new Promise(done => setTimeout(done, 10));
}

function assertEqual(writers) {
  for (const writer of writers) {
    assert.equal(writer.text, writers[0].doc.data);
    assert.equal(writer.doc.data, writers[0].doc.data);
    assert.equal(writer.binding.nWaiting, 0);
  }
}

test('what one types the other sees', async () => {
  const { writers } = await room(2, 'Grüße 😀\n');
  const [one, other] = writers;

  one.type(8, '!');
  await settled(writers);
  assert.equal(other.text, 'Grüße 😀!\n');
  other.type(0, '👍🏽\n');
  await settled(writers);
  assertEqual(writers);
});

test('the caret stays with its text', async () => {
  const { writers } = await room(2, 'one 😀 two');
  const [one, other] = writers;

  other.dispatch({ selection: EditorSelection.single(10, 7) });
  one.type(0, 'zero 😁 ');
  await settled(writers);
  assert.deepEqual([other.state.selection.main.anchor, other.state.selection.main.head], [18, 15]);
});

test('undo and redo are about the own edits alone', async () => {
  const { writers } = await room(2, 'middle');
  const [one, other] = writers;

  one.dispatchAlone({ changes: { from: 6, insert: ' mine' } });
  await settled(writers);
  other.dispatchAlone({ changes: { from: 0, insert: 'theirs ' } });
  other.dispatchAlone({ changes: { from: 18, insert: '!' } });
  await settled(writers);
  assert.equal(one.text, 'theirs middle mine!');
  assert.ok(one.do(undo));
  await settled(writers);
  assert.equal(other.text, 'theirs middle!');
  assert.ok(!one.do(undo));
  assert.ok(one.do(redo));
  await settled(writers);
  assert.equal(other.text, 'theirs middle mine!');
  assertEqual(writers);
});

test('writers who type, undo, compose and drop off at random end with one text', async t => {
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 12; round++) {
    const { backend, writers } = await room(3, randomText(20));

    for (let step = 0; step < 150; step++) await randomStep(backend, oneOf(writers));
    for (const writer of writers) {
      stopComposing(writer);
      if (writer.connection.state !== 'connected') backend.connect(writer.connection);
    }
    await settled(writers);
    await settled(writers);
    assertEqual(writers);
    for (const writer of writers) assert.deepEqual(writer.refusals, []);
  }
});

function stopComposing(writer) {
  writer.isComposingNow = false;
  writer.binding.release();
}

async function randomStep(backend, writer) {
  const chance = random();

  if (chance < 0.6) edit(writer);
  else if (chance < 0.7) writer.do(random() < 0.7 ? undo : redo);
  else if (chance < 0.75) writer.isComposingNow = true;
  else if (chance < 0.82) stopComposing(writer);
  else if (chance < 0.86 && writer.connection.state === 'connected') writer.connection.close();
  else if (chance < 0.9 && writer.connection.state !== 'connected') backend.connect(writer.connection);
  else await new Promise(done => setTimeout(done, below(4)));
}

function edit(writer) {
  const points = [...writer.text];
  const from = below(points.length + 1);
  const to = Math.min(points.length, from + (random() < 0.4 ? below(6) : 0));
  const unit = n => points.slice(0, n).join('').length;

  writer.dispatch({ changes: { from: unit(from), to: unit(to), insert: random() < 0.8 ? randomText(1 + below(3)) : '' } });
}

test('a remote edit on the line of a composition waits for its end; elsewhere it is shown at once', async () => {
  const { writers } = await room(2, 'first\nsecond\nthird');
  const [one, other] = writers;

  one.dispatch({ selection: { anchor: 8 } });
  one.isComposingNow = true;
  other.type(0, '1: ');
  await settled(writers);
  assert.equal(one.text, '1: first\nsecond\nthird');
  other.type(9, '2: ');
  await settled(writers);
  assert.equal(one.text, '1: first\nsecond\nthird');
  one.type(15, 'か');
  await settled(writers);
  assert.equal(one.text, '1: first\nsecondか\nthird');
  assert.equal(other.text, '1: first\n2: secondか\nthird');
  stopComposing(one);
  await settled(writers);
  assertEqual(writers);
});

test('a large paste arrives whole, in several operations', async () => {
  const { writers } = await room(2, 'start end');
  const [one, other] = writers;
  const paste = '0123456😀\n'.repeat(120_000);

  one.type(6, paste);
  one.type(0, '> ');
  await settled(writers);
  assert.equal(other.text, `> start ${paste}end`);
  assert.ok(one.doc.version >= Math.floor(paste.length / INSERT_MAX_UNITS));
  assertEqual(writers);
});

test('a replacement in very many places arrives whole, and what is edited next does not join it', async () => {
  const { backend, writers } = await room(2, 'a b\n'.repeat(45_000));
  const [one, other] = writers;
  const sizes = [];

  backend.use('submit', ({ op }, next) => {
    sizes.push(op.op?.length ?? 0);
    next(op.op?.length > 100_000 ? Object.assign(new Error('too many'), { code: 'ERR_LIMIT_EXCEEDED' }) : null);
  });
  one.dispatch({ changes: Array.from({ length: 45_000 }, (_, i) => ({ from: 4 * i, to: 4 * i + 1, insert: 'the' })) });
  one.type(3, ' 😀');
  await settled(writers);
  assert.deepEqual(one.refusals, []);
  assert.equal(other.text, `the 😀 b\n${'the b\n'.repeat(44_999)}`);
  assert.ok(Math.max(...sizes) <= PARTS_MAX, `${sizes}`);
  assert.equal(sizes.at(-1), 2);
  assertEqual(writers);
});

test('edits that wait are joined only until they are many', async () => {
  const { backend, writers } = await room(2, 'line\n'.repeat(2000));
  const [one, other] = writers;
  const sizes = [];

  backend.use('submit', ({ op }, next) => (sizes.push(op.op?.length ?? 0), next()));
  one.connection.close();
  await new Promise(setImmediate);
  for (let i = 0; i < 2000; i++) one.type(6 * i, '>');
  backend.connect(one.connection);
  await settled(writers);
  assert.equal(other.text, '>line\n'.repeat(2000));
  assert.ok(sizes.length > 1 && sizes.length < 10 && Math.max(...sizes) < 2000, `${sizes}`);
  assertEqual(writers);
});

for (const [kind, edit] of [
  ['inserted', { from: 5, insert: ' refused' }],
  ['deleted', { from: 0, to: 3 }],
])
  test(`a refused edit (text ${kind}) is taken back, and the user's text is handed over`, async () => {
    const { backend, writers } = await room(2, 'agreed');
    const [one, other] = writers;
    let isRefusing = true;

    backend.use('submit', (request, next) => next(isRefusing ? Object.assign(new Error('too large'), { code: 'ERR_LIMIT_EXCEEDED' }) : null));
    one.dispatch({ changes: edit });
    const mine = one.text;

    await settled(writers);
    isRefusing = false;
    assert.equal(one.text, 'agreed');
    assert.equal(one.refusals.length, 1);
    assert.equal(one.refusals[0].text, mine);
    one.type(0, 'still ');
    await settled(writers);
    assert.equal(other.text, 'still agreed');
    assertEqual(writers);
  });

test('what is refused one after another stays together, at its place', async () => {
  const { backend, writers } = await room(2, 'a b c');
  const [one, other] = writers;

  backend.use('submit', ({ agent }, next) => next(agent.clientId === one.connection.id ? new Error('no') : null));
  one.type(5, ' third');
  await settled(writers);
  other.type(0, 'zero ');
  await settled(writers);
  one.type(5, 'first ');
  await settled(writers);
  one.type(6, ' second', 8);
  await settled(writers);
  assert.equal(one.text, 'zero a b c');
  assert.equal(one.refusals.length, 3);
  assert.equal(one.binding.rescuedText(), 'zero first a second c third');
  other.type(10, '!');
  await settled(writers);
  assert.equal(one.binding.rescuedText(), 'zero first a second c third!');
  one.binding.forgetRescued();
  assert.equal(one.binding.rescuedText(), one.text);
  assertEqual(writers);
});

for (const code of ['ERR_LIMIT_EXCEEDED', 'ERR_OP_SUBMIT_REJECTED'])
  test(`what is typed while the document is fetched afresh is handed over: ${code}`, async () => {
    const { backend, writers } = await room(2, 'agreed');
    const [one] = writers;
    let isRefusing = true;

    backend.use('submit', (request, next) => next(isRefusing ? Object.assign(new Error('no'), { code }) : null));
    backend.use('readSnapshots', (request, next) => setTimeout(next, 20));
    one.type(0, '', 1);
    while (one.doc.type !== null) await new Promise(setImmediate);
    one.type(5, ' typed meanwhile');
    assert.ok(one.binding.isStranded);
    isRefusing = false;
    await settled(writers);
    assert.equal(one.text, 'agreed');
    assert.deepEqual(one.refusals.map(refusal => refusal.text), ['greed typed meanwhile']);
    assert.ok(!one.binding.isStranded);
    assertEqual(writers);
  });

test('a document fetched afresh with nothing under way, either', async () => {
  const { writers } = await room(2, 'agreed');
  const [one, other] = writers;

  one.doc.on('error', () => {});
  one.doc._hardRollback(new Error('an edit that does not fit'));
  one.type(6, ' typed meanwhile');
  other.type(0, 'all ');
  await settled(writers);
  assert.equal(one.text, 'all agreed');
  assert.equal(one.refusals.length, 1);
  assert.match(one.binding.rescuedText(), /^(all )?agreed typed meanwhile$/);
  assertEqual(writers);
});

test('whatever is refused, and whenever: each writer keeps all that was written', async t => {
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 10; round++) {
    const { backend, writers } = await room(3, '');
    const letters = writers.map(() => new Set());
    const deleted = new Set();
    let n = 0;

    backend.use('submit', ({ op }, next) => next(op.op && random() < 0.4 ? Object.assign(new Error('no'), { code: oneOf(['ERR_ANY', 'ERR_OP_SUBMIT_REJECTED']) }) : null));
    for (let step = 0; step < 150; step++) {
      const i = below(writers.length);
      const { text } = writers[i];
      const from = below(text.length + 1);

      if (random() < 0.3) {
        for (const letter of text.slice(from, from + 2)) deleted.add(letter);
        writers[i].type(from, '', Math.min(text.length, from + 2));
      } else {
        // Every letter is written once.
        letters[i].add(String.fromCharCode(0x4e00 + n));
        writers[i].type(from, String.fromCharCode(0x4e00 + n++));
      }
      if (random() < 0.3) await new Promise(done => setTimeout(done, below(4)));
    }
    await settled(writers);
    await settled(writers);
    assertEqual(writers);
    for (const [i, { binding }] of writers.entries()) {
      const kept = new Set(binding.rescuedText());

      assert.deepEqual([...letters[i]].filter(letter => !kept.has(letter) && !deleted.has(letter)), []);
    }
  }
});

test('a document that is deleted and begun again', async () => {
  const { writers } = await room(2, 'before');
  const [one, other] = writers;

  await promised(done => one.doc.del(done));
  await settled(writers);
  assert.equal(other.text, 'before');
  await promised(done => one.doc.create('after', type.uri, done));
  await settled(writers);
  other.type(5, '!');
  await settled(writers);
  assertEqual(writers);
});

test('no other line end than "\\n" is made or lost', async () => {
  const { writers } = await room(2, 'a\r\nb\rc\n');
  const [one, other] = writers;

  assert.equal(one.text, 'a\r\nb\rc\n');
  one.type(7, 'd');
  other.type(0, 'x\r\n');
  await settled(writers);
  assert.equal(one.doc.data, 'x\r\na\r\nb\rc\nd');
  assertEqual(writers);
  assert.equal(Text.of(one.text.split('\n')).lines, 4);
});
