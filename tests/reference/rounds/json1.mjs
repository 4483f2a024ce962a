// json1, judged by the npm package ot-json1.
import { isEqual } from '../calculator.mjs';
import { editOp, insertOp, moveOp, removeOp, replaceOp, type as reference } from 'ot-json1';

export const name = 'json1';

const KEYS = ['a', 'b', 'x', 'y', 'z', '', '0', 'é', '\uffff', '\u{10000}', 'a key of more than fourteen bytes'];
const TEXTS = ['', 'a', 'xyz', 'a text of more than fourteen bytes', '\u{1f600}é\n', '日本語'];
const MOST_ROUNDS = 50; // of resolving: where ours gives up
const clone = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
const isContainer = (value) => value !== null && typeof value === 'object';
const keysOf = (value) => (Array.isArray(value) ? [...value.keys()] : Object.keys(value));

function randomKey(random) {
  return random.next() < 0.8 ? KEYS[random.between(0, 5)] : random.oneOf(KEYS);
}

function randomScalar(random) {
  const kind = random.next();

  if (kind < 0.35) return random.oneOf(TEXTS);
  if (kind < 0.7) return random.between(-3, 4);
  if (kind < 0.8) return random.next() * 1000;
  return random.oneOf([null, true, false, 0]);
}

function randomValue(random, depth) {
  const kind = random.next();
  const n = random.between(0, 4);

  if (depth === 0 || kind < 0.4) return randomScalar(random);
  if (kind < 0.7) return Array.from({ length: n }, () => randomValue(random, depth - 1));
  return Object.fromEntries(Array.from({ length: n }, () => [randomKey(random), randomValue(random, depth - 1)]));
}

// ---- operations --------------------------------------------------------------------------------------------------------

const at = (doc, path) => path.reduce((value, key) => value[key], doc);

function randomPath(random, doc) {
  const path = [];

  for (let value = doc; isContainer(value) && keysOf(value).length && random.next() < 0.85; value = value[path.at(-1)])
    path.push(random.oneOf(keysOf(value)));
  return path;
}

// The path of something new in a container; undefined: none was found.
function randomPlace(random, doc) {
  const path = randomPath(random, doc);
  const here = at(doc, path);

  if (!isContainer(here)) return path.length ? newIn(random, at(doc, path.slice(0, -1)), path.slice(0, -1)) : undefined;
  return newIn(random, here, path);
}

function newIn(random, container, path) {
  const key = Array.isArray(container) ? random.between(0, container.length + 1) : randomKey(random);

  return Array.isArray(container) || !Object.hasOwn(container, key) ? [...path, key] : undefined;
}

function randomTextOp(random, text) {
  const n = Array.from(text).length;
  const op = [];
  const skip = random.between(0, n + 1);

  if (skip) op.push(skip);
  if (random.next() < 0.6) op.push(random.oneOf(TEXTS.slice(1)));
  if (n > skip && random.next() < 0.6) {
    const length = random.between(1, n - skip + 1);

    op.push({ d: random.next() < 0.3 ? Array.from(text).slice(skip, skip + length).join('') : length });
  }
  return typeof op.at(-1) === 'number' || !op.length ? [...op, 'q'] : op;
}

function randomMove(random, doc) {
  const from = randomPath(random, doc);

  if (!from.length) return null;
  const to = randomPlace(random, reference.apply(doc, removeOp(from)));

  return to ? moveOp(from, to) : null;
}

function randomEdit(random, doc) {
  const path = randomPath(random, doc);
  const here = at(doc, path);

  if (typeof here === 'string') return editOp(path, 'text-unicode', randomTextOp(random, here));
  return typeof here === 'number' ? editOp(path, 'number', random.between(-5, 6)) : null;
}

function randomRemove(random, doc) {
  const path = randomPath(random, doc);

  return path.length ? removeOp(path, random.next() < 0.5 ? true : at(doc, path)) : null;
}

function randomInsert(random, doc) {
  const place = randomPlace(random, doc);

  return place ? insertOp(place, randomValue(random, 2)) : null;
}

function randomReplace(random, doc) {
  const path = randomPath(random, doc);

  return replaceOp(path, random.next() < 0.5 ? true : at(doc, path), randomValue(random, 1));
}

function randomPart(random, doc) {
  const kind = random.next();

  if (kind < 0.3) return randomMove(random, doc);
  if (kind < 0.5) return randomInsert(random, doc);
  if (kind < 0.65) return randomRemove(random, doc);
  return kind < 0.7 ? randomReplace(random, doc) : randomEdit(random, doc);
}

function randomOp(random, start) {
  let op = null;
  let doc = start;

  for (let n = random.next() < 0.1 ? 12 : random.between(1, 6); n > 0; n--) {
    const part = randomPart(random, doc);

    doc = reference.apply(doc, part);
    op = reference.compose(op, part);
  }
  return reference.normalize(op);
}

// ---- what the package answers ---------------------------------------------------------------------------------------------

function transform(a, b, side) {
  const result = reference.tryTransform(a, b, side);

  return result.ok ? result.result : { conflict: true };
}

// The package may go on for ever.
function resolve(a, b, side) {
  let rounds = 0;
  const patient = reference.typeAllowingConflictsPred(() => {
    if (++rounds >= MOST_ROUNDS) throw new Error('endless');
    return true;
  });

  return patient.transform(a, b, side);
}

// Whether the two ways round that the package resolves end in one document; it does not say so when they don't.
function converges(doc, a, b, side) {
  try {
    const byA = reference.apply(reference.apply(clone(doc), a), resolve(b, a, side === 'left' ? 'right' : 'left'));
    const byB = reference.apply(reference.apply(clone(doc), b), resolve(a, b, side));

    return isEqual(byA ?? null, byB ?? null);
  } catch {
    return false;
  }
}

// undefined where the package refuses.
function ask(fn, args) {
  try {
    if (fn === 'transform') return transform(...clone(args));
    if (fn === 'transformNoConflict') return resolve(...clone(args));
    if (fn === 'checkOp') return reference.checkValidOp(args[0]) ?? true;
    return reference[fn](...clone(args));
  } catch {
    return undefined;
  }
}

const everyComponent = (op, change) =>
  Array.isArray(op) ? op.map((part) => everyComponent(part, change)) : isContainer(op) ? change(op) : op;

// An operation that numbers its slots in another order.
function withOtherSlots(op) {
  let last = -1;

  everyComponent(op, (component) => (last += 'p' in component ? 1 : 0));
  return everyComponent(op, ({ ...component }) => {
    if ('p' in component) component.p = last - component.p;
    if ('d' in component) component.d = last - component.d;
    return component;
  });
}

const withLongEdits = (op) =>
  everyComponent(op, ({ es, ...rest }) => (es ? { ...rest, et: 'text-unicode', e: es } : rest));

// A document, two concurrent operations and a follow-up: what is asked, with the reference's answers.
export function round(random) {
  const doc = randomValue(random, 4);
  const a = randomOp(random, doc);
  const b = randomOp(random, doc);
  const c = randomOp(random, reference.apply(doc, a));
  const other = withOtherSlots(a);
  const loose = withLongEdits(other);
  const calls = [
    ['normalize', [loose]],
    ['checkOp', [a]],
    ['apply', [doc, a]],
    ['apply', [doc, loose]],
    ...['transform', 'transformNoConflict'].flatMap((fn) => [
      [fn, [a, b, 'left']],
      [fn, [a, b, 'right']],
      [fn, [b, a, 'left']],
      [fn, [other, b, 'right']],
    ]),
    ['compose', [a, c]],
    ['compose', [other, c]],
    ['makeInvertible', [a, doc]],
    ['invert', [reference.makeInvertible(a, doc)]],
    ['invertWithDoc', [a, doc]],
    ['transformPosition', [randomPath(random, doc), a]],
  ];

  return calls
    .map(([fn, args]) => ({
      fn,
      args: clone(args),
      want: fn === 'transformNoConflict' && !converges(doc, ...args) ? { conflict: true } : clone(ask(fn, args)),
    }))
    .filter(({ want }) => want !== undefined);
}

export function wanted({ fn, args }) {
  const isOp = (arg) => arg === null || Array.isArray(arg);
  const ops = { apply: [1], compose: [0, 1], transformPosition: [1], transform: [0, 1], transformNoConflict: [0, 1] };

  for (const arg of (ops[fn] ?? [0]).map((i) => args[i])) {
    if (!isOp(arg) || (fn !== 'normalize' && ask('checkOp', [arg]) === undefined)) return undefined;
  }
  return clone(ask(fn, args));
}
