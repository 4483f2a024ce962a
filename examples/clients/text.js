// Editors count UTF-16 units, text-unicode counts characters (code points): 😀 is two units and one character. Here is what
// lies between. A change { from, to, insert } of an editor puts `insert` in place of the units [from, to).
import { types } from 'sharedb/lib/client/index.js';
import { type } from 'ot-text-unicode';

types.register(type);

export const characters = text => [...text].length;
export const unitsAfter = (text, at, n) => {
  for (; n > 0; n--) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
};

// 😁 in place of 😀 may be a change of the second unit alone: this is the same change in whole characters.
const isInside = (text, at) => text.codePointAt(at - 1) > 0xffff;
function whole(text, { from, to, insert }) {
  if (isInside(text, from)) insert = text[--from] + insert;
  if (isInside(text, to)) insert += text[to++];
  return { from, to, insert };
}

export function opOf(text, change) {
  const { from, to, insert } = whole(text, change);

  return [characters(text.slice(0, from)), insert, { d: characters(text.slice(from, to)) }];
}

// In positions of the text before the operation, the first change first.
export function changesOf(text, op) {
  const changes = [];
  let at = 0;

  for (const part of op) {
    const from = at;

    if (typeof part === 'number') at = unitsAfter(text, at, part);
    else if (typeof part === 'string') changes.push({ from, to: from, insert: part });
    else changes.push({ from, to: (at = unitsAfter(text, at, part.d.length ? characters(part.d) : part.d)), insert: '' });
  }
  return changes;
}

// The one change that leads from one text to another.
export function changeBetween(before, after) {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  let end = 0;

  while (from < shorter && before[from] === after[from]) from++;
  while (end < shorter - from && before.at(-1 - end) === after.at(-1 - end)) end++;
  return whole(before, { from, to: before.length - end, insert: after.slice(from, after.length - end) });
}
