// Random operations of the four types on documents that stay small: what grows too large is cut, so that a soak of a day is
// as much work a minute as one of an hour. On json1 nothing is taken away: two who
// write to one place are refused there.
import { kinds } from '../../lib/kinds.mjs';

const TEXT_MAX = 2000; // UTF-16 units
const PIECES_MAX = 100; // of rich text
const CARDS_MAX = 30;
const TITLE_MAX = 60;

const half = content => [...content].length >> 1;

// How much of a Delta its first half is.
const halfOf = ({ ops }) => ops.slice(0, ops.length >> 1).reduce((n, { insert }) => n + (typeof insert === 'string' ? insert.length : 1), 0);

const shortened = {
  'text-unicode': (random, content) => content.length > TEXT_MAX && [{ d: half(content) }],
  'rich-text': (random, content) => content.ops.length > PIECES_MAX && { ops: [{ delete: halfOf(content) }] },
  json0: (random, { cards }) => {
    const i = random.between(0, cards.length);
    return cards.length > CARDS_MAX && [{ p: ['cards', i], ld: cards[i] }];
  },
  json1: (random, { cards }) => {
    const i = cards.findIndex(({ title }) => title.length > TITLE_MAX);
    return i >= 0 && ['cards', i, 'title', { es: [{ d: half(cards[i].title) }] }];
  },
};

export const all = kinds.map(kind => ({ ...kind, name: kind.type.name }));

const grows = (name, op, content) => name === 'json1' && content.cards.length > CARDS_MAX && op[2]?.i;

export function randomOp({ name, randomOp: made }, random, content) {
  for (;;) {
    const op = shortened[name](random, content) || made(random, content);
    if (op && !grows(name, op, content)) return op;
  }
}
