// What ot.mjs measures: operations as editors and applications send them, not corner cases. Everything from one seed.
import { Random } from '../lib/random.mjs';

const N_PAIRS = 2000;
const WORDS = 'the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one'.split(' ');

const words = (random, n) => Array.from({ length: n }, () => random.oneOf(WORDS)).join(' ');
const pairs = (make) => Array.from({ length: N_PAIRS }, make);

// ---- text --------------------------------------------------------------------------------------------------------------

// One writer: mostly the next character, sometimes one back, now and then somewhere else; [position, n_deleted, text].
function writing(random) {
  const edits = [];
  let n = 0, at = 0;

  for (let i = 0; i < 250000; i++) {
    if (random.next() < 0.01) at = random.between(0, n + 1);
    const deletes = at > 0 && random.next() < 0.3;

    edits.push(deletes ? [--at, 1, ''] : [at++, 0, random.oneOf('etaoin shrdlu')]);
    n += deletes ? -1 : 1;
  }
  return edits;
}

function textOp(random, length) {
  const at = random.between(1, length - 10);

  return random.next() < 0.7 ? [at, words(random, 1)] : [at, { d: random.between(1, 8) }];
}

const lengthAfter = (op, length) => length + (typeof op[1] === 'string' ? op[1].length : -op[1].d);

// ---- rich text ---------------------------------------------------------------------------------------------------------

function delta(random, length) {
  const retain = { retain: random.between(1, length - 20) };
  const kind = random.next();

  if (kind < 0.6) return { ops: [retain, random.next() < 0.3 ? { insert: words(random, 1), attributes: { bold: true } } : { insert: words(random, 1) }] };
  if (kind < 0.8) return { ops: [retain, { delete: random.between(1, 8) }] };
  return { ops: [retain, { retain: random.between(1, 12), attributes: random.oneOf([{ bold: true }, { italic: true, color: '#a00' }, { bold: null }]) }] };
}

// Paragraphs with some bold words, about so many characters.
function article(random, length) {
  const ops = [];

  for (let n = 0; n < length; n += 80) {
    ops.push({ insert: `${words(random, 12)} ` });
    if (random.next() < 0.3) ops.push({ insert: words(random, 2), attributes: { bold: true } });
    ops.push({ insert: '\n', attributes: random.oneOf([{ header: 2 }, { list: 'bullet' }]) });
  }
  return ops;
}

const deltaLength = ({ ops }) => ops.reduce((n, { insert, delete: d }) => n + (insert ? insert.length : 0) - (d ?? 0), 0);

function typing(random) {
  const document = article(random, 1e6);
  let end = document.reduce((n, { insert }) => n + insert.length, 0);

  return [{ ops: document }, ...Array.from({ length: 3000 }, () => ({ ops: [{ retain: end++ }, { insert: random.oneOf('etaoin') }] }))];
}

function anywhere(random) {
  const document = article(random, 1e6);
  let length = document.reduce((n, { insert }) => n + insert.length, 0);

  return [{ ops: document }, ...Array.from({ length: 3000 }, () => {
    const op = delta(random, length);

    length += deltaLength(op);
    return op;
  })];
}

// ---- JSON --------------------------------------------------------------------------------------------------------------

// A board of cards, about 100 bytes each.
const board = (random, n) => ({
  title: 'Board',
  cards: Array.from({ length: n }, (_, id) => ({ id, title: words(random, 5), votes: random.between(0, 9), done: false, tags: ['a', 'b'] })),
});

// Votes, text in a title, a card more or less, a field set. Cards are only ever added in the first ten places.
function json0Op(random, n, isAlone) {
  const card = ['cards', random.between(10, n)];
  const kind = random.next();

  if (kind < 0.3) return [{ p: [...card, 'votes'], na: 1 }];
  if (kind < 0.6) return [{ p: [...card, 'title'], t: 'text0', o: [{ p: random.between(0, 8), i: random.oneOf(WORDS) }] }];
  if (kind < 0.8 || !isAlone) return [{ p: ['cards', random.between(0, 10)], li: { id: 0, title: words(random, 3), votes: 0, done: false, tags: [] } }];
  return [{ p: [...card, 'done'], od: false, oi: true }];
}

function json1Op(random, n) {
  const card = ['cards', random.between(10, n)];
  const kind = random.next();

  if (kind < 0.3) return [...card, 'votes', { ena: 1 }];
  if (kind < 0.6) return [...card, 'title', { es: [random.between(1, 8), random.oneOf(WORDS)] }];
  if (kind < 0.8) return ['cards', random.between(0, 10), { i: { id: 0, title: words(random, 3), votes: 0, done: false, tags: [] } }];
  return [...card, 'done', { r: false, i: true }];
}

const edits = (random, makeOp) => [board(random, 10000), ...Array.from({ length: 3000 }, () => makeOp(random, 9000, true))];

// ---- all of it ---------------------------------------------------------------------------------------------------------

// Pairs that a type's package takes (json1 ones may conflict).
function takenBy(type, make) {
  return pairs(() => {
    for (;;) {
      const [op, other] = make();

      try {
        type.transform(op, other, 'left');
        return [op, other];
      } catch (error) {
        if (!error.conflict) throw error;
      }
    }
  });
}

function* ofTypes(packages) {
  const random = new Random(7);

  yield { type: 'text-unicode', fn: 'transform', what: 'transform', cases: pairs(() => [textOp(random, 3000), textOp(random, 3000)]) };
  yield { type: 'text-unicode', fn: 'compose', what: 'compose', cases: pairs(() => {
    const first = textOp(random, 3000);

    return [first, textOp(random, lengthAfter(first, 3000))];
  }) };
  yield { type: 'rich-text', fn: 'transform', what: 'transform', cases: pairs(() => [delta(random, 3000), delta(random, 3000)]) };
  yield { type: 'rich-text', fn: 'compose', what: 'compose', cases: pairs(() => {
    const first = delta(random, 3000);

    return [first, delta(random, 3000 + deltaLength(first))];
  }) };
  yield { type: 'rich-text', fn: 'apply', what: 'typing at the end of 1 MB', cases: typing(random) };
  yield { type: 'rich-text', fn: 'apply', what: 'edits anywhere in 1 MB', cases: anywhere(random) };
  for (const [type, makeOp] of [['json0', json0Op], ['json1', json1Op]]) {
    yield { type, fn: 'transform', what: 'transform', cases: takenBy(packages[type], () => [makeOp(random, 30), makeOp(random, 30)]) };
    yield { type, fn: 'compose', what: 'compose', cases: takenBy(packages[type], () => [makeOp(random, 30), makeOp(random, 30)]) };
    yield { type, fn: 'apply', what: 'apply to 1 MB', cases: edits(random, makeOp) };
  }
}

export const workloads = { writing, ofTypes };
