// Between CodeMirror's changes and text-unicode operations. CodeMirror counts UTF-16 units, operations count code
// points: a character outside the basic plane is two units (a surrogate pair) and one code point. Texts here are valid
// Unicode throughout (well-formed.ts sees to it), so the difference is the number of low surrogates.
import type { ChangeSet, ChangeSpec, Text } from '@codemirror/state';
import type { TextOp } from 'ot-text-unicode';

const isHigh = (unit: number) => (unit & 0xfc00) === 0xd800;
const isLow = (unit: number) => (unit & 0xfc00) === 0xdc00;

export function pointsIn(text: string): number {
  let n = text.length;

  for (let i = 0; i < text.length; i++)
    if (isLow(text.charCodeAt(i))) n--;
  return n;
}

// The code points of the units [from, to).
export function pointsBetween(text: Text, from: number, to: number): number {
  let n = 0;

  for (const chunks = text.iterRange(from, to); !chunks.next().done; )
    n += pointsIn(chunks.value);
  return n;
}

// The position n code points after the position `from`.
export function positionAfter(text: Text, from: number, n: number): number {
  let at = from;
  const chunks = text.iterRange(from);

  while (n > 0 && !chunks.next().done) {
    const nHere = pointsIn(chunks.value);

    if (nHere > n) return at + unitsOf(chunks.value, n);
    at += chunks.value.length;
    n -= nHere;
  }
  if (n > 0) throw new RangeError('operation past the end of the text');
  return at;
}

// The positions of these code points, in one walk; what lies past the end is at the end.
export function positionsOf(text: Text, points: readonly number[]): Map<number, number> {
  const positions = new Map<number, number>();
  const chunks = text.iter();
  let nPoints = 0; // before the chunk
  let at = 0;
  let nHere = 0;

  for (const point of [...new Set(points)].sort((a, b) => a - b)) {
    while (!chunks.done && point > nPoints + nHere) {
      nPoints += nHere;
      at += chunks.value.length;
      nHere = pointsIn(chunks.next().value);
    }
    positions.set(point, at + unitsOf(chunks.value, Math.min(point - nPoints, nHere)));
  }
  return positions;
}

function unitsOf(text: string, nPoints: number): number {
  let i = 0;

  for (; nPoints > 0; nPoints--) i += isHigh(text.charCodeAt(i)) ? 2 : 1;
  return i;
}

// Is the position between the two halves of a pair?
function splitsPair(text: Text, at: number): boolean {
  return at > 0 && at < text.length && isLow(text.sliceString(at, at + 1).charCodeAt(0));
}

// What the changes do to `before`, in whole code points: replacing one emoji by another may be a change of its second
// half alone.
export function opFromChanges(before: Text, changes: ChangeSet): TextOp {
  const op: TextOp = [];
  let at = 0;

  changes.iterChanges((from, to, _fromAfter, _toAfter, inserted) => {
    let text = inserted.toString();

    if (splitsPair(before, from)) {
      text = before.sliceString(from - 1, from) + text;
      from--;
    }
    if (splitsPair(before, to)) {
      text += before.sliceString(to, to + 1);
      to++;
    }
    if (from > at) op.push(pointsBetween(before, at, from));
    if (text) op.push(text);
    if (to > from) op.push({ d: pointsBetween(before, from, to) });
    at = to;
  });
  return op;
}

// Throws a RangeError when the operation does not fit the text.
export function changesFromOp(text: Text, op: TextOp): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  let at = 0;

  for (const component of op) {
    if (typeof component === 'number') {
      at = positionAfter(text, at, component);
    } else if (typeof component === 'string') {
      changes.push({ from: at, insert: component });
    } else {
      // An inverted operation names the text that goes.
      const to = typeof component.d === 'string' ? at + component.d.length : positionAfter(text, at, component.d);

      if (to > text.length) throw new RangeError('operation past the end of the text');

      changes.push({ from: at, to });
      at = to;
    }
  }
  return changes;
}

// The one change that leads from a text to another, or nothing: what both ends have in common stays. It does not split
// a pair.
export function changeBetween(before: string, after: string): ChangeSpec[] {
  const limit = Math.min(before.length, after.length);
  let start = 0;
  let end = 0;

  if (before === after) return [];
  while (start < limit && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  if (start > 0 && isHigh(before.charCodeAt(start - 1))) start--;
  while (
    end < limit - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  )
    end++;
  if (end > 0 && isLow(before.charCodeAt(before.length - end))) end--;
  return [{ from: start, to: before.length - end, insert: after.slice(start, after.length - end) }];
}

// The same as several operations, one after the other, none of which inserts more than nUnitsMax units or has more than
// nPartsMax components: a large paste, or a replacement in a thousand places, in portions that any server takes. Each
// portion goes on behind the one before it; texts are cut between code points.
export function splitOp(op: TextOp, nUnitsMax: number, nPartsMax: number): TextOp[] {
  const portions: TextOp[] = [];
  let portion: TextOp = [];
  let nUnits = 0; // that the portion inserts
  let skip = 0; // from its last component to here
  let at = 0; // in the text as the portions leave it

  for (const part of op.flatMap<TextOp[number]>(part => (typeof part === 'string' ? piecesOf(part, nUnitsMax) : [part]))) {
    if (typeof part === 'number') {
      skip += part;
      at += part;
      continue;
    }
    const nHere = typeof part === 'string' ? part.length : 0;

    if (portion.length + 2 > nPartsMax || nUnits + nHere > nUnitsMax) {
      portions.push(portion);
      portion = [];
      nUnits = 0;
      skip = at;
    }
    if (skip > 0) portion.push(skip);
    portion.push(part);
    nUnits += nHere;
    skip = 0;
    if (typeof part === 'string') at += pointsIn(part);
  }
  return [...portions, portion];
}

function piecesOf(text: string, nMax: number): string[] {
  const pieces: string[] = [];

  for (let from = 0; from < text.length; from += pieces.at(-1)!.length) pieces.push(text.slice(from, pieceEnd(text, from, nMax)));
  return pieces;
}

function pieceEnd(text: string, from: number, nMax: number): number {
  const end = Math.min(from + nMax, text.length);

  return end < text.length && isLow(text.charCodeAt(end)) ? end - 1 : end;
}
