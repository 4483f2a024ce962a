// How much text there is, for the foot of the page.
const SEGMENT_MAX = 50_000; // beyond, dictionaries for languages without spaces would take too long

export interface Measure {
  words: number;
  characters: number; // code points
  lines: number;
}

export function measure(text: string): Measure {
  let characters = text.length;
  let lines = 1;

  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);

    if (unit === 10) lines++;
    else if ((unit & 0xfc00) === 0xdc00) characters--;
  }
  return { words: wordsIn(text), characters, lines };
}

function wordsIn(text: string): number {
  let n = 0;

  if (text.length > SEGMENT_MAX || typeof Intl.Segmenter === 'undefined')
    return text.match(/[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
  for (const segment of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)) if (segment.isWordLike) n++;
  return n;
}

const number = new Intl.NumberFormat();
const amount = (n: number, noun: string) => `${number.format(n)} ${noun}${n === 1 ? '' : 's'}`;

export function sentence({ words, characters, lines }: Measure): string {
  return `${amount(words, 'word')} · ${amount(characters, 'character')} · ${amount(lines, 'line')}`;
}

// The first line that says something, as a title.
export function titleOf(lines: Iterable<string>, otherwise: string): string {
  for (const line of lines) {
    const title = line.replace(/^[\s#>*-]+/, '').replace(/[*_`]+/g, '').trim();

    if (title) return title.length > 80 ? `${[...title].slice(0, 79).join('')}…` : title;
  }
  return otherwise;
}
