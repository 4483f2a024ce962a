// Places that move with the text, and pages that tell each other theirs: without a page, on ShareDB's own server.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { ChangeSet, EditorSelection, Text } from '@codemirror/state';
import { load } from './load.mjs';
import { below, oneOf, random, randomText, seed } from './random.mjs';

const require = createRequire(import.meta.url);
const ShareDB = require('sharedb');
const { type } = require('ot-text-unicode');
const { People, Presence, changesFromOp, freeColor, movePlace, opFromChanges, pointsBetween, positionsOf, shapeOf } = await load('convert', 'people', 'place', 'presence');
const promised = fn => new Promise((resolve, reject) => fn(error => (error ? reject(error) : resolve())));
const pause = ms => new Promise(done => setTimeout(done, ms));
const shape = op => shapeOf(op);
const at = (anchor, head = anchor) => ({ anchor, head });

ShareDB.types.register(type);
ShareDB.logger.setMethods({ info() {}, warn() {}, error() {} });
console.warn = () => {};

test('a caret goes along with its owner’s text and lets that of others pass', () => {
  for (const [place, op, isOwn, expected] of [
    [at(5), [3, '😀x'], false, at(7)],
    [at(5), [5, 'xy'], false, at(5)],
    [at(5), [5, 'xy'], true, at(7)],
    [at(5), [6, 'xy'], true, at(5)],
    [at(5), [2, { d: 2 }], false, at(3)],
    [at(5), [2, { d: 9 }], false, at(2)],
    [at(5), [2, { d: 'ab😀' }], false, at(2)],
    [at(5), [2, 'new', { d: 9 }], true, at(5)],
    [at(2, 5), [2, 'x'], false, at(3, 6)],
    [at(5, 2), [5, 'x'], false, at(5, 2)],
    [at(2, 5), [1, { d: 8 }], false, at(1)],
    [at(2, 5), [2, 'x', { d: 3 }], true, at(3)],
    [at(0), [], false, at(0)],
  ])
    assert.deepEqual(movePlace(place, shape(op), isOwn), expected, JSON.stringify([place, op, isOwn]));
});

test('what others type moves a place as it moves the owner’s selection in the editor', t => {
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 2000; round++) {
    const text = Text.of(randomText(20).split('\n'));
    const anchor = below(text.length + 1);
    const head = oneOf([anchor, below(text.length + 1)]);
    const op = randomOp(text.toString());
    const changes = ChangeSet.of(changesFromOp(text, op), text.length, '\n');
    const after = changes.apply(text);
    const selection = EditorSelection.single(...[anchor, head].map(one => positionsOf(text, [pointsBetween(text, 0, one)]).get(pointsBetween(text, 0, one))));
    const place = { anchor: pointsBetween(text, 0, selection.main.anchor), head: pointsBetween(text, 0, selection.main.head) };
    const moved = movePlace(place, shapeOf(op), false);
    const { main } = selection.map(changes);

    // Text that takes the place of a selection is nobody's: there editors differ.
    if (place.anchor !== place.head && main.empty) continue;
    assert.deepEqual(moved, { anchor: pointsBetween(after, 0, main.anchor), head: pointsBetween(after, 0, main.head) }, JSON.stringify([text.toString(), place, op]));
  }
});

test('positions of code points', () => {
  const text = Text.of(['a😀b', '', '😀😀']);

  assert.deepEqual([...positionsOf(text, [0, 1, 2, 3, 4, 5, 6, 7, 99, 1])], [[0, 0], [1, 1], [2, 3], [3, 4], [4, 5], [5, 6], [6, 8], [7, 10], [99, 10]]);
  assert.deepEqual([...positionsOf(Text.of(['']), [0, 1])], [[0, 0], [1, 0]]);
  assert.deepEqual([...positionsOf(text, [])], []);
});

const place = (people, id) => people.all().find(person => person.id === id)?.place;
const said = (anchor, v, src = 'A') => ({ name: 'ink', color: 3, src, anchor, head: anchor, v });

test('a place of the past is brought up, one of the future waits', () => {
  const people = new People(10, () => assert.fail());

  people.committed(shape([2, 'xx']), 'B', 0);
  people.receive('p', said(3, 10), 0);
  assert.deepEqual(place(people, 'p'), at(5));
  people.receive('p', said(0, 12), 0);
  assert.deepEqual(place(people, 'p'), at(5), 'the one before stays until then');
  people.committed(shape([{ d: 1 }]), 'B', 0);
  assert.deepEqual(place(people, 'p'), at(0));
  people.committed(shape(['abc']), 'A', 0);
  assert.deepEqual(place(people, 'p'), at(3), 'its owner’s own text');
});

test('a place too old to be told is asked for again', () => {
  let nLost = 0;
  const people = new People(10, () => nLost++);

  people.receive('p', said(3, 9), 0);
  assert.equal(place(people, 'p'), null);
  assert.equal(nLost, 1);
  people.receive('p', said(3, 10), 0);
  assert.deepEqual(place(people, 'p'), at(3));
  people.restart(20);
  assert.equal(place(people, 'p'), null);
});

test('whatever else comes over the channel does no harm', () => {
  const people = new People(0, () => {});

  for (const value of [{}, [], 'x', 7, true, { name: 7, color: -1, anchor: '1' }, { anchor: 1e300, head: 1, v: 0 }, { name: '😀'.repeat(1000), color: 1e9, v: 0.5 }]) {
    people.receive('p', value, 0);
    for (const { name, color, place } of people.all()) {
      assert.ok([...name].length <= 64 && !/[\ud800-\udfff]/u.test(name));
      assert.ok(Number.isInteger(color) && color >= 0 && color < 8);
      assert.equal(place, null);
    }
  }
  for (let i = 0; i < 500; i++) people.receive(`q${i}`, said(0, 0), 0);
  assert.equal(people.all().length, 100);
  for (let i = 0; i < 500; i++) people.receive(`q${i}`, null, 0);
  people.receive('p', null, 0);
  assert.deepEqual(people.all(), []);
});

test('eight people have eight colours', () => {
  const people = [];

  for (let i = 0; i < 8; i++) people.push({ color: freeColor(`id ${i}`, people) });
  assert.deepEqual(people.map(person => person.color).sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(freeColor('one more', people) < 8);
});

function randomOp(text) {
  const nPoints = [...text].length;
  const from = below(nPoints + 1);
  const op = from ? [from] : [];

  if (random() < 0.6) op.push(randomText(3) || 'x');
  if (from < nPoints && random() < 0.5) op.push({ d: 1 + below(Math.min(4, nPoints - from)) });
  return type.normalize(op);
}

// A page that has a text and a caret, and no editor.
class Page {
  caret = at(0);
  isHeld = false;

  constructor(backend, name) {
    this.backend = backend;
    this.name = name;
    this.connection = backend.connect();
    this.doc = this.connection.get('notes', 'n');
  }

  async open() {
    await promised(done => this.doc.subscribe(done));
    if (!this.doc.type) await promised(done => this.doc.create('text', type.uri, done));
    this.doc.on('op', (op, source) => source || (this.caret = movePlace(this.caret, shapeOf(op), false)));
    this.presence = new Presence(this.connection, this.doc, {
      name: () => this.name,
      place: () => (this.doc.type === null || this.doc.hasWritePending() ? null : this.caret),
      changed() {},
    });
    return this;
  }

  write(op) {
    this.caret = movePlace(this.caret, shapeOf(op), true);
    this.doc.submitOp(op);
    this.presence.touch();
  }

  goTo(anchor, head = anchor) {
    this.caret = at(anchor, head);
    this.presence.touch();
  }

  cut() {
    this.connection.close();
  }

  comeBack() {
    this.backend.connect(this.connection);
  }

  seen() {
    return Object.fromEntries(this.presence.people.all().map(({ name, place }) => [name, place]));
  }
}

async function house(...names) {
  const backend = new ShareDB({ presence: true, doNotForwardSendPresenceErrorsToClient: true });
  const pages = [];

  for (const name of names) pages.push(await new Page(backend, name).open());
  await assertAgreed(pages);
  return { backend, pages };
}

const othersOf = (page, pages) => Object.fromEntries(pages.filter(other => other !== page).map(other => [other.name, other.caret]));
const bySort = object => Object.fromEntries(Object.entries(object).sort());

async function until(condition) {
  for (const deadline = Date.now() + 30_000; !condition() && Date.now() < deadline; ) await pause(5);
}

// At rest every page knows of every other what that knows of itself.
async function assertAgreed(pages) {
  const agrees = page => JSON.stringify(bySort(page.seen())) === JSON.stringify(bySort(othersOf(page, pages)));

  await until(() => pages.every(agrees));
  for (const page of pages) assert.deepEqual(bySort(page.seen()), bySort(othersOf(page, pages)), page.name);
}

test('pages that write, jump, leave and come back at random: at rest everybody is where others see them', async t => {
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 4; round++) {
    const { pages } = await house('ink', 'paper', 'quill');

    for (let step = 0; step < 120; step++) {
      const page = oneOf(pages);
      const nPoints = [...page.doc.data].length;
      const chance = random();

      if (chance < 0.6) page.write(randomOp(page.doc.data));
      else if (chance < 0.8) page.goTo(below(nPoints + 1), below(nPoints + 1));
      else if (chance < 0.84) (page.cut(), await pause(below(20)), page.comeBack());
      else await pause(below(30));
    }
    await assertAgreed(pages);
    pages[0].cut();
    await until(() => pages.slice(1).every(page => !page.seen().ink));
    pages[0].comeBack();
    await assertAgreed(pages);
  }
});

test('who comes late sees those who have not stirred for long, where they are now', async () => {
  const { backend, pages } = await house('ink', 'paper');
  const [ink, paper] = pages;

  ink.goTo(4);
  await assertAgreed(pages);
  for (let i = 0; i < 30; i++) paper.write(['x']);
  await assertAgreed(pages);
  const late = await new Page(backend, 'late').open();

  await assertAgreed([...pages, late]);
  assert.deepEqual(ink.caret, at(34));
});

test('a text that begins anew has its carets again', async () => {
  const { pages } = await house('ink', 'paper');
  const [ink, paper] = pages;

  ink.goTo(3);
  await assertAgreed(pages);
  await promised(done => paper.doc.del(done));
  for (const page of pages) page.goTo(0);
  await until(() => paper.seen().ink === null);
  assert.equal(paper.seen().ink, null);
  await promised(done => paper.doc.create('other', type.uri, done));
  ink.goTo(5);
  await assertAgreed(pages);
});

test('who is away is not shown, and looks on', async () => {
  const { pages } = await house('ink', 'paper');
  const [ink, paper] = pages;

  ink.presence.setAway(true);
  await until(() => Object.keys(paper.seen()).length === 0);
  assert.deepEqual(paper.seen(), {});
  assert.deepEqual(Object.keys(ink.seen()), ['paper']);
  ink.presence.setAway(false);
  await assertAgreed(pages);
});
