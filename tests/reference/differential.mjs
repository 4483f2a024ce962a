// Each type against its npm package: the same requests, the same answers. Browsers compute with the packages, so a
// difference on a valid operation is a divergence between two people's screens.
//
//   PILCROW_CASES   rounds (default 10000)
//   PILCROW_SEED    which ones (default: fresh); a failure prints the one to run again, and the case made smaller
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random, seedOf } from '../lib/random.mjs';
import { ask, isEqual } from './calculator.mjs';

const ROUNDS_AT_ONCE = 1000;

// { conflict: true } is wanted where the package answers that two operations write to one place.
const isRight = (answer, want) =>
  want?.conflict === true ? answer.code === 'conflict' : Object.hasOwn(answer, 'ok') && isEqual(answer.ok, want);

// ---- the failing request, made smaller while it fails ------------------------------------------------------------------

// Every way to leave one thing out of a value: an element, a member, a character, at any depth.
function* smaller(value) {
  if (typeof value === 'string') {
    const characters = Array.from(value);

    for (let i = 0; i < characters.length; i++) yield characters.filter((_, j) => j !== i).join('');
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield value.filter((_, j) => j !== i);
    for (let i = 0; i < value.length; i++)
      for (const part of smaller(value[i])) yield value.map((old, j) => (i === j ? part : old));
  } else if (value && typeof value === 'object') {
    for (const key of Object.keys(value)) {
      const { [key]: old, ...rest } = value;

      yield rest;
      for (const part of smaller(old)) yield { ...value, [key]: part };
    }
  }
}

function* smallerRequests(request) {
  for (let i = 0; i < request.args.length; i++)
    for (const arg of smaller(request.args[i]))
      yield { ...request, args: request.args.map((old, j) => (i === j ? arg : old)) };
}

// Only answers that differ count, so that shrinking does not end at a request that we refuse and the package takes.
function differs(type, request) {
  const want = type.wanted(request);
  const [answer] = want === undefined ? [{}] : ask([request]);

  return want !== undefined && (Object.hasOwn(answer, 'ok') || answer.code === 'conflict') && !isRight(answer, want);
}

function firstSmaller(type, request) {
  for (const candidate of smallerRequests(request)) if (differs(type, candidate)) return candidate;
  return undefined;
}

function shrink(type, request) {
  for (let found = request; found; found = firstSmaller(type, request)) request = found;
  return request;
}

function complain(type, { request, want }, answer, seed) {
  const shrunk = differs(type, request) ? shrink(type, request) : request;
  const lines = [
    `PILCROW_SEED=${seed}`,
    `request  ${JSON.stringify(shrunk)}`,
    `answer   ${JSON.stringify(shrunk === request ? answer : ask([shrunk])[0])}`,
    `want     ${JSON.stringify(shrunk === request ? want : type.wanted(shrunk))}`,
  ];

  assert.fail(lines.join('\n'));
}

// ---- rounds ----------------------------------------------------------------------------------------------------------

function compare(type, seed, n) {
  const random = new Random(seed);
  let nAsked = 0;

  for (let done = 0; done < n; done += ROUNDS_AT_ONCE) {
    const asked = Array.from({ length: Math.min(ROUNDS_AT_ONCE, n - done) }, () => type.round(random))
      .flat()
      .map(({ fn, args, want }) => ({ request: { type: type.name, fn, args }, want }));
    const answers = ask(asked.map(({ request }) => request));

    asked.forEach((one, i) => {
      if (!isRight(answers[i], one.want)) complain(type, one, answers[i], seed);
    });
    nAsked += asked.length;
  }
  return nAsked;
}

// type: one of rounds/. A file for each type, since they run side by side.
export function answersLikeItsPackage(type) {
  test(`${type.name} answers like its package`, (t) => {
    const n = Number(process.env.PILCROW_CASES || 10000);

    t.diagnostic(`${n} rounds, ${compare(type, seedOf(t), n)} requests`);
  });
}
