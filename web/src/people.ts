// Who else is here, and where: what others say of themselves, moved along with the document as operations are committed.
//
// What is said belongs to a version. When this page has not come so far it waits, and the place known before is kept;
// when the page is further, it is moved over what was committed since.
import { NAME_MAX } from './keep.ts';
import { Past, movePlace, type Place, type Shape } from './place.ts';

export const N_COLORS = 8;

const PEOPLE_MAX = 100; // further ones are not shown
const PAST_MAX = 1000;

// What a page shows of itself on the channel of the document. anchor and head count code points of the version v, as long as
// there is something to point into; src is the id of its connection, which its operations carry.
export interface Said {
  name: string;
  color: number;
  src: string | null;
  anchor: number | null;
  head: number | null;
  v: number;
}

export interface Person {
  readonly id: string;
  name: string; // may be empty
  color: number; // from 0 up to N_COLORS
  place: Place | null; // in the present version
  movedAt: number; // in Date.now()'s milliseconds; of one's own doing
}

interface Known extends Person {
  src: string;
  said: { place: Place; v: number } | null; // not looked at yet
}

export class People {
  private readonly known = new Map<string, Known>();
  private readonly past: Past;

  // lost: somebody's place can't be told; all should be asked to say it again.
  constructor(
    version: number,
    private readonly lost: () => void,
  ) {
    this.past = new Past(PAST_MAX, version);
  }

  all(): readonly Person[] {
    return [...this.known.values()];
  }

  clear(): void {
    this.known.clear();
  }

  // Whatever comes from the channel; null: gone.
  receive(id: string, value: unknown, now: number): void {
    const person = this.known.get(id) ?? this.stranger(id);

    if (value === null || typeof value !== 'object') return void this.known.delete(id);
    if (!this.known.has(id) && this.known.size >= PEOPLE_MAX) return;
    this.known.set(id, Object.assign(person, aboutIn(value as Partial<Said>, id), { movedAt: now }));
    if (!person.said) person.place = null;
    else this.look(person);
  }

  // The next version.
  committed(shape: Shape, src: string, now: number): void {
    this.past.append(shape, src);
    for (const person of this.known.values()) {
      if (person.place) person.place = movePlace(person.place, shape, src === person.src);
      if (src === person.src) person.movedAt = now;
      this.look(person);
    }
  }

  // Another text, or none: all places are void until they are said again.
  restart(version: number): void {
    this.past.restart(version);
    for (const person of this.known.values()) {
      person.place = null;
      this.look(person);
    }
  }

  private stranger(id: string): Known {
    return { id, name: '', color: 0, place: null, movedAt: 0, src: '', said: null };
  }

  private look(person: Known): void {
    const { said } = person;

    if (!said || said.v > this.past.version) return;
    person.said = null;
    person.place = this.past.bring(said.place, said.v, person.src);
    if (!person.place) this.lost();
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function aboutIn({ name, color, src, anchor, head, v }: Partial<Said>, id: string) {
  return {
    name: typeof name === 'string' ? [...name.trim()].slice(0, NAME_MAX).join('') : '',
    color: (isCount(color) ? color : hashOf(id)) % N_COLORS,
    src: typeof src === 'string' ? src : '',
    said: isCount(anchor) && isCount(head) && isCount(v) ? { place: { anchor, head }, v } : null,
  };
}

function hashOf(text: string): number {
  let hash = 0;

  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
  return hash;
}

// The id's own colour, or the next that nobody has.
export function freeColor(id: string, people: readonly Person[]): number {
  const first = hashOf(id) % N_COLORS;

  for (let i = 0; i < N_COLORS; i++) {
    const color = (first + i) % N_COLORS;

    if (!people.some(person => person.color === color)) return color;
  }
  return first;
}
