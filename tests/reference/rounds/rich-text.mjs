// rich-text, judged by the npm package rich-text (and quill-delta, which it is made of).
import richText from 'rich-text';

const { Delta, type: reference } = richText;

export const name = 'rich-text';

const CHARACTERS = [...'abcdefgh \n"\\ßéกำ日本\ufffc\u2028\u0000\u0001', '😀', '𐀀', '\u{10ffff}', '👩🏽', 'e\u0301'];
const NAMES = ['bold', 'italic', 'link', 'font', ''];
const VALUES = [true, false, 1, 2.5, '', 'a long text, longer than fits', { px: 12, of: ['x', null] }, [1], null];
const EMBEDS = [{ hr: true }, { image: 'https://example.org/a.png' }, { mention: { id: 2, name: 'é' } }, {}];

const clone = (value) => JSON.parse(JSON.stringify(value));

// Bold or nothing mostly, so that neighbours are alike often enough.
function randomAttributes(random, isFormat) {
  const kind = random.next();
  const attributes = {};

  if (kind < 0.3) return isFormat ? { bold: random.next() < 0.5 ? true : null } : undefined;
  if (kind < 0.6) return { bold: true };
  for (let i = random.between(1, 4); i > 0; i--) attributes[random.oneOf(NAMES)] = random.oneOf(VALUES);
  return attributes;
}

function component(action, attributes) {
  return attributes ? { ...action, attributes } : action;
}

function randomInsert(random) {
  const plain = random.next() < 0.5;
  const characters = Array.from({ length: random.between(1, 5) }, () =>
    plain ? CHARACTERS[random.between(0, 8)] : random.oneOf(CHARACTERS),
  );
  const insert = random.next() < 0.2 ? random.oneOf(EMBEDS) : characters.join('');

  return component({ insert }, randomAttributes(random, false));
}

// What documents hold: no nulls, and neighbours that are alike are one.
function kept(document) {
  const delta = new Delta();

  for (const { insert, attributes = {} } of document.ops)
    delta.insert(insert, Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null)));
  return clone(delta);
}

function randomDocument(random) {
  const n = random.next() < 0.05 ? 300 : random.between(0, 8);

  return kept({ ops: Array.from({ length: n }, () => randomInsert(random)) });
}

// The lengths of what cannot be divided.
const lengths = ({ ops }) =>
  ops.flatMap(({ insert }) => (typeof insert === 'string' ? Array.from(insert, (character) => character.length) : [1]));
const sum = (numbers) => numbers.reduce((all, n) => all + n, 0);

// Components that fit the document, in any order.
function randomComponents(random, document) {
  const left = lengths(document);
  const pick = (n) => sum(left.splice(0, n));
  const ops = [];

  if (random.next() < 0.7) ops.push({ retain: pick(random.between(0, left.length + 1)) });
  for (let i = random.between(0, 7); i > 0; i--) {
    const n = random.between(0, 6);
    const kind = random.next();

    if (kind < 0.35) ops.push(randomInsert(random));
    else if (kind < 0.55) ops.push({ retain: pick(n) });
    else if (kind < 0.8) ops.push({ retain: pick(n), attributes: randomAttributes(random, true) ?? { bold: null } });
    else ops.push({ delete: pick(n) });
  }
  return ops.filter(({ retain, delete: deletion }) => retain !== 0 && deletion !== 0);
}

const normal = (ops) => clone(ops.reduce((delta, op) => delta.push(op), new Delta()).chop());

// Normal but for one thing: inserts may stand behind deletes, as whoever writes operations by hand puts them.
function inAnyOrder(ops) {
  const delta = new Delta();

  for (const op of ops) {
    const last = delta.ops[delta.ops.length - 1];

    if (op.insert !== undefined && last?.delete) delta.ops.push(op);
    else delta.push(op);
  }
  return clone(delta.chop());
}

function randomOp(random, document) {
  const ops = randomComponents(random, document);

  return random.next() < 0.3 ? inAnyOrder(ops) : normal(ops);
}

const answer = (fn, args) => {
  const [a, b, c] = clone(args);

  if (fn === 'checkOp') return true;
  if (fn === 'normalize') return normal(a.ops);
  if (fn === 'invertWithDoc') return clone(new Delta(a).invert(new Delta(b)));
  if (fn === 'create' || fn === 'apply') return kept(reference[fn](a, b));
  return clone(reference[fn](a, b, c));
};

// A document, two concurrent operations and a follow-up: what is asked, with the reference's answers.
export function round(random) {
  const doc = randomDocument(random);
  const loose = { ops: randomComponents(random, doc) };
  const a = randomOp(random, doc);
  const b = randomOp(random, doc);
  const after = answer('apply', [doc, a]);
  const c = randomOp(random, after);
  const length = sum(lengths(doc));
  const index = random.between(0, length + 1);
  const range = { index, length: random.between(0, length - index + 1), user: 'é' };
  const calls = [
    ['create', [doc]],
    ['normalize', [loose]],
    ['checkOp', [a]],
    ['apply', [doc, a]],
    ['apply', [after, c]],
    ['transform', [a, b, 'left']],
    ['transform', [a, b, 'right']],
    ['transform', [b, a, 'left']],
    ['transform', [b, a, 'right']],
    ['compose', [a, c]],
    ['invertWithDoc', [a, doc]],
    ['transformPresence', [range, a, false]],
    ['transformPresence', [range, a, true]],
  ];

  return calls.map(([fn, args]) => ({ fn, args: clone(args), want: answer(fn, args) }));
}

// The reference's answer where it has one; what is no operation any more is refused by us, and does not count.
export function wanted({ fn, args }) {
  try {
    return answer(fn, args);
  } catch {
    return undefined;
  }
}
