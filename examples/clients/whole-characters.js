// Quill compares texts unit by unit: 😁 in place of 😀 may become "put \uDE01 in place of \uDE00", as both begin with \uD83D.
// The server refuses what cuts a character in two; this is the same edit in whole characters.
import { type } from 'rich-text';

export function wholeCharacters(delta, before) {
  const text = before.ops.map(({ insert }) => (typeof insert === 'string' ? insert : '\0')).join('');
  let at = 0;
  const isCut = delta.ops.some(op => {
    at += (op.retain ?? 0) + (op.delete ?? 0);
    return /\p{Surrogate}/u.test(op.insert) || text.codePointAt(at - 1) > 0xffff;
  });

  return isCut ? type.diff(before, type.apply(before, delta)) : delta;
}
