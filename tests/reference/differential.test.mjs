// text-unicode against the npm package ot-text-unicode: the same requests, the same answers. Browsers compute with the
// package, so a difference on a valid operation is a divergence between two people's screens.
//
//   PILCROW_CASES   rounds (default 20000); each is a document, two concurrent operations and a follow-up
//   PILCROW_SEED    which ones (default: fresh); a failure prints the one to run again, and the case made smaller
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type as reference } from 'ot-text-unicode';

import { Random, seedOf } from '../lib/random.mjs';
import { ask, isEqual } from './calculator.mjs';

const CHARACTERS = [...'abcdefgh \n"\\ßéกำ日本ﬁ\u2028\u0000\u0001', '😀', '𐀀', '\u{10ffff}', '👩🏽', 'e\u0301', '🇩🇪'];
const ROUNDS_AT_ONCE = 1000;

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

// What a round asks, with the reference's answers.
function round(random) {
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

  return calls.map(([fn, args, want]) => ({ request: { type: 'text-unicode', fn, args: clone(args) }, want }));
}

const isSame = (answer, want) => Object.hasOwn(answer, 'ok') && isEqual(answer.ok, want);

// ---- the failing request, made smaller while it fails ------------------------------------------------------------------

// Every way to leave something out of one argument: an element of an operation, a character of a text.
function* smaller(value) {
  const parts = typeof value === 'string' ? Array.from(value) : Array.isArray(value) ? value : [];

  for (let i = 0; i < parts.length; i++) {
    const rest = parts.filter((_, j) => j !== i);

    yield typeof value === 'string' ? rest.join('') : rest;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++)
      for (const part of smaller(value[i])) yield value.map((old, j) => (i === j ? part : old));
  }
}

// The reference's answer where the request is still one that it takes; undefined where it is not.
function wanted({ fn, args }) {
  try {
    if (fn === 'normalize') return reference.normalize(clone(args[0]));
    for (const arg of args) if (Array.isArray(arg)) reference.checkOp(arg);
    return fn === 'checkOp' ? true : reference[fn](...clone(args));
  } catch {
    return undefined;
  }
}

function* smallerRequests(request) {
  for (let i = 0; i < request.args.length; i++)
    for (const arg of smaller(request.args[i]))
      yield { ...request, args: request.args.map((old, j) => (i === j ? arg : old)) };
}

// Only answers that differ count, so that shrinking does not end at a request that we refuse and the reference takes.
function shrink(request) {
  for (let found = true; found; ) {
    found = false;
    for (const candidate of smallerRequests(request)) {
      const want = wanted(candidate);
      const [answer] = want === undefined ? [{}] : ask([candidate]);

      if (Object.hasOwn(answer, 'ok') && !isEqual(answer.ok, want)) {
        request = candidate;
        found = true;
        break;
      }
    }
  }
  return request;
}

function complain(request, want, answer, seed) {
  const shrunk = Object.hasOwn(answer, 'ok') ? shrink(request) : request;
  const lines = [
    `PILCROW_SEED=${seed}`,
    `request  ${JSON.stringify(shrunk)}`,
    `answer   ${JSON.stringify(ask([shrunk])[0])}`,
    `want     ${JSON.stringify(shrunk === request ? want : wanted(shrunk))}`,
  ];

  assert.fail(lines.join('\n'));
}

test('text-unicode answers like ot-text-unicode', (t) => {
  const seed = seedOf(t);
  const n = Number(process.env.PILCROW_CASES || 20000);
  const random = new Random(seed);

  t.diagnostic(`${n} rounds`);
  for (let done = 0; done < n; done += ROUNDS_AT_ONCE) {
    const asked = Array.from({ length: Math.min(ROUNDS_AT_ONCE, n - done) }, () => round(random)).flat();
    const answers = ask(asked.map(({ request }) => request));

    asked.forEach(({ request, want }, i) => {
      if (!isSame(answers[i], want)) complain(request, want, answers[i], seed);
    });
  }
});
