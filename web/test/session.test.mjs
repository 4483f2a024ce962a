// Documents that go away, come back and are loaded afresh, without a page: sessions on ShareDB's own server in the same process.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { EditorState } from '@codemirror/state';
import { load } from './load.mjs';
import { below, random, seed } from './random.mjs';

const ShareDB = createRequire(import.meta.url)('sharedb');
const { Session } = await load('session');
const pause = ms => new Promise(done => setTimeout(done, ms));

ShareDB.logger.setMethods({ info() {}, warn() {}, error() {} });
console.warn = () => {};

class Page {
  isReadOnly = true;
  refusals = [];
  reasons = [];
  said = []; // which text was shown with which status
  state = EditorState.create();

  constructor(backend) {
    this.connection = backend.connect();
    this.session = new Session({ connection: this.connection, state: 'connected', nextTryAt: 0 }, { collection: 'notes', id: 'n' }, this, {
      changed: () => this.session && this.said.push(`${this.status}: ${this.text}`),
      opened: () => (this.isReadOnly = false),
      deleted: reason => (this.isReadOnly = true) && this.reasons.push(reason),
      refused: error => this.refusals.push({ message: error.message, text: this.session.bound.rescuedText() }),
      failed: error => assert.fail(error),
    });
    this.session.admit();
  }

  isComposing() {
    return false;
  }

  dispatch(spec) {
    const transaction = this.state.update(spec);

    this.state = transaction.state;
    this.session.bound?.applied(transaction);
  }

  type(insert) {
    if (!this.isReadOnly) this.dispatch({ changes: { from: this.state.doc.length, insert } });
  }

  get text() {
    return this.state.doc.toString();
  }

  get status() {
    return this.session.status.name;
  }
}

async function house(nPages) {
  const backend = new ShareDB({ doNotForwardSendPresenceErrorsToClient: true });
  const remover = backend.connect().get('notes', 'n');
  const pages = [];

  for (let i = 0; i < nPages; i++) pages.push(new Page(backend));
  await pause(20);
  return {
    backend,
    pages,
    remover,
    remove: async () => {
      await new Promise(done => remover.fetch(done));
      if (remover.type) await new Promise(done => remover.del(done));
    },
  };
}

async function assertAlive(pages) {
  await pause(30);
  for (const page of pages) {
    assert.equal(page.status, 'saved');
    assert.equal(page.text, pages[0].text);
    assert.equal(page.session.bound.nWaiting, 0);
    assert.ok(!page.isReadOnly);
  }
}

// The server that a page comes back to: it can't lead on from the version that the page has.
async function elsewhere(page, code, text) {
  const backend = new ShareDB({ doNotForwardSendPresenceErrorsToClient: true });
  const doc = backend.connect().get('notes', 'n');
  const { version } = page.session.doc;
  let isRefusing = true;

  if (text !== null) await new Promise(done => doc.create(text, page.session.doc.type.uri, done));
  backend.use('receive', ({ data }, next) => {
    if (data.a === 'f' && data.v === null) isRefusing = false;
    next(isRefusing && data.v === version ? Object.assign(new Error('no'), { code }) : null);
  });
  return { backend, doc };
}

for (const code of ['ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT', 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND'])
  for (const [what, edit, mine] of [
    ['nothing', () => {}, 'text'],
    ['an insertion', page => page.type(' and more'), 'text and more'],
    ['a deletion', page => page.dispatch({ changes: { from: 0, to: 1 } }), 'ext'],
  ])
    test(`where the server can't lead on, the document is loaded afresh and the text is offered: ${code}, ${what} unsent`, async () => {
      const { pages } = await house(1);
      const [page] = pages;

      page.type('text');
      await pause(20);
      const { backend, doc } = await elsewhere(page, code, 'theirs');

      page.connection.close();
      await pause(5);
      edit(page);
      page.said = [];
      backend.connect(page.connection);
      await pause(20);
      await assertAlive(pages);
      assert.deepEqual(page.said.filter(said => /^saved/.test(said) && said !== 'saved: theirs'), []);
      assert.equal(page.refusals.at(-1).text, mine);
      await new Promise(done => doc.submitOp([{ d: 2 }], done));
      page.type('!');
      await assertAlive(pages);
      await new Promise(done => doc.fetch(done));
      assert.deepEqual([page.text, doc.data], ['eirs!', 'eirs!']);
    });

test('where the server does not have the document any more, the text stays and can be brought back', async () => {
  const { pages } = await house(1);
  const [page] = pages;

  page.type('text');
  await pause(20);
  const { backend, doc } = await elsewhere(page, 'ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT', null);

  page.connection.close();
  await pause(5);
  backend.connect(page.connection);
  await pause(20);
  assert.equal(page.status, 'deleted');
  page.session.bringBack();
  await assertAlive(pages);
  await new Promise(done => doc.fetch(done));
  assert.deepEqual([page.text, doc.data], ['text', 'text']);
});

test('a subscription that is refused for now is asked for again; until then nothing is said to be saved', async () => {
  const { backend, pages } = await house(1);
  const [page] = pages;
  let isRefusing = true;

  page.type('text');
  await pause(20);
  backend.use('receive', ({ data }, next) => next(isRefusing && data.a === 's' ? Object.assign(new Error('not now'), { code: 'ERR_LIMIT_EXCEEDED' }) : null));
  page.connection.close();
  await pause(5);
  page.said = [];
  backend.connect(page.connection);
  await pause(20);
  page.type(' and more');
  await pause(20);
  assert.equal(page.status, 'saving');
  assert.deepEqual(page.said.filter(said => /^saved/.test(said)), []);
  isRefusing = false;
  await pause(3200);
  await assertAlive(pages);
  assert.equal(page.text, 'text and more');
  assert.deepEqual(page.refusals, []);
});

test('brought back by two at once, and by one who presses twice', async () => {
  const { pages, remove } = await house(2);

  pages[0].type('text');
  await assertAlive(pages);
  await remove();
  await pause(10);
  assert.deepEqual(pages.map(page => page.status), ['deleted', 'deleted']);
  for (const page of [...pages, ...pages]) page.session.bringBack();
  pages[0].type(' one');
  pages[1].type(' two');
  await assertAlive(pages);
  // One of the two was first; what the other wrote is there or is offered.
  for (const [page, own] of [[pages[0], ' one'], [pages[1], ' two']])
    assert.ok(page.text === `text${own}` || page.session.bound.rescuedText() === `text${own}`);
  assert.equal(pages.flatMap(page => page.refusals).length, 1);
});

test('deleted, fetched afresh and brought back at random: in the end all are alive', async t => {
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 10; round++) {
    const { backend, pages, remove } = await house(3);

    for (let step = 0; step < 80; step++) {
      const page = pages[below(pages.length)];
      const chance = random();

      if (chance < 0.5) page.type('x');
      else if (chance < 0.6) await remove();
      else if (chance < 0.8) page.session.bringBack();
      else if (chance < 0.85) (page.connection.close(), await pause(1), backend.connect(page.connection));
      else await pause(below(3));
    }
    await pause(30);
    for (const page of pages) page.session.bringBack();
    await assertAlive(pages);
  }
});

test('a document deleted under an unsent edit is deleted, and the edit is offered', async () => {
  const { backend, pages, remove } = await house(1);
  const [page] = pages;

  page.type('text');
  await pause(20);
  page.connection.close();
  await pause(5);
  page.type(' and more');
  await remove();
  assert.ok(page.session.hasUnsent);
  backend.connect(page.connection);
  await pause(20);
  assert.equal(page.status, 'deleted');
  assert.deepEqual(page.refusals.map(refusal => refusal.text), ['text and more']);
  page.session.bringBack();
  await assertAlive(pages);
  assert.equal(page.session.bound.rescuedText(), 'text and more');
});

test('a refusal to bring it back is told, and it can be tried again', async () => {
  const { backend, pages, remove } = await house(1);
  const [page] = pages;
  let isRefusing = true;

  page.type('text');
  await pause(20);
  await remove();
  await pause(10);
  backend.use('submit', (request, next) => next(isRefusing ? Object.assign(new Error('too large'), { code: 'ERR_LIMIT_EXCEEDED' }) : null));
  page.session.bringBack();
  page.type(' and more');
  await pause(20);
  assert.equal(page.status, 'deleted');
  assert.ok(page.isReadOnly);
  assert.equal(page.reasons.at(-1), 'too large');
  assert.equal(page.text, 'text and more');
  isRefusing = false;
  page.session.bringBack();
  await assertAlive(pages);
  assert.equal(page.text, 'text and more');
  assert.deepEqual(page.refusals, []);
});

test('from a refusal until the fresh copy is there, the edit counts as unsent', async () => {
  const { backend, pages } = await house(1);
  const [page] = pages;
  let deliver = null;

  page.type('text');
  await pause(20);
  backend.use('submit', (request, next) => next(Object.assign(new Error('no'), { code: 'ERR_ANY' })));
  backend.use('readSnapshots', (request, next) => (deliver = next));
  page.dispatch({ changes: { from: 0, to: 1 } }); // the client can't take a deletion back by itself
  while (!deliver) await pause(1);
  assert.equal(page.status, 'saving');
  assert.ok(page.session.hasUnsent);
  deliver();
  await assertAlive(pages);
  assert.deepEqual(page.refusals.map(refusal => refusal.text), ['ext']);
});

test('a copy that could not be fetched is fetched later; until then nothing is said to be saved', async () => {
  const { backend, pages } = await house(1);
  const [page] = pages;
  let isRefusing = true;

  page.type('text');
  await pause(20);
  backend.use(['submit', 'readSnapshots'], (request, next) => next(isRefusing ? Object.assign(new Error('not now'), { code: 'ERR_ANY' }) : null));
  page.dispatch({ changes: { from: 0, to: 1 } });
  await pause(20);
  page.type(' and more');
  assert.equal(page.status, 'saving');
  assert.ok(page.session.hasUnsent);
  isRefusing = false;
  await pause(3200);
  await assertAlive(pages);
  assert.equal(page.text, 'text');
  assert.equal(page.refusals.at(-1).text, 'ext and more');
});

test('a document that is begun anew as something else is as good as deleted, and its text stays', async () => {
  const { pages: [page], remover, remove } = await house(1);

  page.type('some text');
  await pause(30);
  await remove();
  await new Promise((done, failed) => remover.create({}, 'json0', error => (error ? failed(error) : done())));
  await pause(30);
  page.session.bringBack();
  assert.equal(page.status, 'deleted');
  assert.equal(page.reasons.length, 3); // deleted, begun anew, not brought back
  assert.match(page.reasons.at(-1), /another type/);
  assert(page.isReadOnly);
  assert.equal(page.text, 'some text');
  assert.deepEqual(remover.data, {});
});

test('a document that is something else when it is loaded afresh is as good as deleted, too', async () => {
  const { pages: [page], backend, remover, remove } = await house(1);

  page.type('some text');
  await pause(30);
  page.connection.close();
  await remove();
  await new Promise((done, failed) => remover.create('a json0 string', 'json0', error => (error ? failed(error) : done())));
  backend.connect(page.connection);
  await pause(30);
  page.session.bound.loadAfresh(new Error('the server is elsewhere'));
  await pause(60);
  assert.equal(page.status, 'deleted');
  assert.equal(page.text, 'some text');
  assert(page.isReadOnly);
  page.type(' more');
  assert.equal(remover.data, 'a json0 string');
});
