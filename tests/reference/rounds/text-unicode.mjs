// text-unicode, judged by the npm package ot-text-unicode.
import { type as reference } from 'ot-text-unicode';

export const name = 'text-unicode';

const CHARACTERS = [...'abcdefgh \n"\\ßéกำ日本ﬁ\u2028\u0000\u0001', '😀', '𐀀', '\u{10ffff}', '👩🏽', 'e\u0301', '🇩🇪'];
const clone = (value) => JSON.parse(JSON.stringify(value));
const pick = (from, n) => from.splice(0, n);

function randomText(random, most) {
  const plain = random.next() < 0.5;

  return Array.from({ length: random.between(0, most + 1) }, () =>
    plain ? CHARACTERS[random.between(0, 8)] : random.oneOf(CHARACTERS),
  ).join('');
}

// Parts that fit the document, by no means in normal form: zeros, empty parts, neighbours of one kind, a skip at the end.
function randomParts(random, doc) {
  const left = Array.from(doc);
  const op = [];

  if (random.next() < 0.8) op.push(pick(left, random.between(0, left.length + 1)).length);
  for (let i = random.between(0, 6); i > 0; i--) {
    const n = Math.min(left.length, random.between(0, 8));
    const kind = random.next();

    if (kind < 0.35) op.push(randomText(random, 4));
    else if (kind < 0.6) op.push(pick(left, n).length);
    else if (kind < 0.8) op.push({ d: pick(left, n).length });
    else op.push({ d: pick(left, n).join('') });
  }
  return op;
}

// A document, two concurrent operations and a follow-up: what is asked, with the reference's answers.
export function round(random) {
  const doc = randomText(random, random.next() < 0.05 ? 800 : 25);
  const loose = randomParts(random, doc);
  const a = reference.normalize(clone(loose));
  const b = reference.normalize(randomParts(random, doc));
  const after = reference.apply(doc, a);
  const c = reference.normalize(randomParts(random, after));
  const invertible = reference.makeInvertible(clone(a), doc);
  const position = random.between(0, Array.from(doc).length + 1);
  const calls = [
    ['normalize', [loose], a],
    ['checkOp', [a], true],
    ['apply', [doc, a], after],
    ['transform', [a, b, 'left'], reference.transform(a, b, 'left')],
    ['transform', [a, b, 'right'], reference.transform(a, b, 'right')],
    ['transform', [b, a, 'left'], reference.transform(b, a, 'left')],
    ['transform', [b, a, 'right'], reference.transform(b, a, 'right')],
    ['compose', [a, c], reference.compose(a, c)],
    ['makeInvertible', [a, doc], invertible],
    ['invert', [invertible], reference.invert(clone(invertible))],
    ['invertWithDoc', [a, doc], reference.invertWithDoc(clone(a), doc)],
    ['transformPosition', [position, a], reference.transformPosition(position, a)],
  ];

  return calls.map(([fn, args, want]) => ({ fn, args: clone(args), want }));
}

// The reference's answer where the request is still one that it takes; undefined where it is not.
export function wanted({ fn, args }) {
  try {
    if (fn === 'normalize') return reference.normalize(clone(args[0]));
    for (const arg of args) if (Array.isArray(arg)) reference.checkOp(arg);
    return fn === 'checkOp' ? true : reference[fn](...clone(args));
  } catch {
    return undefined;
  }
}
