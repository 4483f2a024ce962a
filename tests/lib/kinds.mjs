// The four types as the tests of the whole system use them: how a document begins, and a random operation on it.
import { json0, json1, randomTextOp, rich, text } from './client.mjs';

const WORDS = ['a', 'bc', 'ä', '漢字', '😀', '\n', ' ', '"'];

// Positions between characters: never inside a surrogate pair.
function placesOf({ ops }) {
  const places = [0];

  for (const { insert } of ops)
    for (const character of typeof insert === 'string' ? insert : ['e']) places.push(places.at(-1) + character.length);
  return places;
}

function randomDelta(random, content) {
  const places = placesOf(content);
  const i = random.between(0, places.length);
  const j = Math.min(places.length - 1, i + random.between(1, 4));
  const ops = places[i] ? [{ retain: places[i] }] : [];
  const attributes = random.oneOf([{ bold: true }, { bold: null }, { color: '#a00' }, { color: '#0a0', bold: true }]);
  const kind = random.next();

  if (kind < 0.2 && j > i) ops.push({ delete: places[j] - places[i] });
  else if (kind < 0.5 && j > i) ops.push({ retain: places[j] - places[i], attributes });
  else if (kind < 0.6) ops.push({ insert: { image: 'x' } });
  else ops.push(kind < 0.7 ? { insert: random.oneOf(WORDS), attributes: { bold: true } } : { insert: random.oneOf(WORDS) });
  return { ops };
}

// A board: a list of cards with a title, votes and a mark, of which some come and go.
const board = { cards: [{ title: 'ink', votes: 0 }, { title: 'paper', votes: 0 }], count: 0 };

function randomJson0(random, { cards }) {
  const i = random.between(0, cards.length);
  const kind = random.next();
  const at = random.between(0, [...(cards[i]?.title ?? '')].length + 1);
  const offset = [...(cards[i]?.title ?? '')].slice(0, at).join('').length;

  if (!cards.length || kind < 0.2) return [{ p: ['cards', random.between(0, cards.length + 1)], li: { title: random.oneOf(WORDS), votes: 0 } }];
  if (kind < 0.3) return [{ p: ['cards', i], ld: cards[i] }];
  if (kind < 0.4) return [{ p: ['cards', i], lm: random.between(0, cards.length) }];
  if (kind < 0.6) return [{ p: ['cards', i, 'votes'], na: 1 }];
  if (kind < 0.8) return [{ p: ['cards', i, 'title'], t: 'text0', o: [{ p: offset, i: random.oneOf(WORDS) }] }];
  return [{ p: ['cards', i, 'mark'], ...('mark' in cards[i] ? { od: cards[i].mark } : {}), oi: random.between(0, 9) }];
}

const moved = (from, to) => from === to ? null : ['cards', ...[[from, { p: 0 }], [to, { d: 0 }]].sort(([a], [b]) => a - b)];

// Only what never conflicts: two who write to one place are refused, and the client of the package can't cope with it.
function randomJson1(random, { cards }) {
  const i = random.between(0, cards.length);
  const kind = random.next();

  if (kind < 0.3) return ['cards', random.between(0, cards.length + 1), { i: { title: random.oneOf(WORDS), votes: 0 } }];
  if (kind < 0.5) return ['cards', i, 'votes', { ena: 1 }];
  if (kind < 0.8) return ['cards', i, 'title', { es: randomTextOp(random, cards[i].title) }];
  if (kind < 0.9) return moved(i, random.between(0, cards.length));
  return ['count', { ena: 1 }];
}

export const kinds = [
  { type: text, initial: 'We begin.', randomOp: randomTextOp },
  { type: rich, initial: { ops: [{ insert: 'We begin.' }] }, randomOp: randomDelta },
  { type: json0, initial: board, randomOp: randomJson0 },
  { type: json1, initial: board, randomOp: randomJson1 },
];
