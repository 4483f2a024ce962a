// What the demonstrations share: the strip that shows the way, its figures and its price, and the name of who sits here.
import type { Address } from '../src/address.ts';
import { choice, one } from '../src/dom.ts';
import { NAME_MAX, keepName, ownName } from '../src/keep.ts';
import { begin, change, me, type Step } from './document.ts';
import { follow, type Following, type Way } from './four_ways.ts';

export interface Demo<T> {
  id: string; // of the document, in the collection `demos`
  first: T; // what it begins with
  show(data: T): void;
  rewired?(following: Following): void; // another way, from now on
  restsHidden?: boolean; // true: see Manner
}

interface Sent {
  sent?: { by: string; at: number };
}

const prices: Record<string, string> = {
  'polling-5000': 'Asks every 5 s. News is 2.5 s old on average, and silence costs 12 requests a minute.',
  'polling-1000': 'Asks every second. News is 0.5 s old on average, and silence costs 60 requests a minute.',
  'long-polling': 'The question waits at the server for its answer. News comes at once, for a request and the whole document.',
  events: 'One answer that never ends. News comes at once, as a few bytes; the way back is an ordinary request.',
  websocket: 'One line in both directions. The fewest bytes, and the only way with presence; it wants a client library.',
};

export class Page<T extends object> {
  readonly address: Address;
  private following: Following | null = null;
  private way: Way;
  private everyMs: number;
  private nRequests = 0;
  private nBytes = 0;
  private sentAt = -1; // of the change seen last; -1: none yet
  private readonly latencies: number[] = [];

  constructor(private readonly demo: Demo<T>) {
    const asked = new URLSearchParams(location.search);

    this.address = { collection: 'demos', id: demo.id };
    this.way = ['polling', 'long-polling', 'events', 'websocket'].find(way => way === asked.get('way')) as Way | undefined ?? 'polling';
    this.everyMs = asked.get('every') === '1' ? 1000 : 5000;
    choice('way', this.way, way => this.turn(way as Way, this.everyMs));
    choice('every', String(this.everyMs), everyMs => this.turn('polling', Number(everyMs)));
    setUpName();
    void this.start();
  }

  // See document.ts. Either way one sees at once what has come of it.
  async change(steps: Step[]): Promise<number | null> {
    try {
      return await change(this.address, steps);
    } finally {
      this.look();
    }
  }

  look(): void {
    this.following?.look();
  }

  private async start(): Promise<void> {
    try {
      await begin(this.address, this.demo.first);
      this.turn(this.way, this.everyMs);
    } catch (error) {
      this.reached(false);
      if (!(error instanceof TypeError)) one('#lost').textContent = (error as Error).message; // it was reached
      setTimeout(() => this.start(), 2000);
    }
  }

  private turn(way: Way, everyMs: number): void {
    this.following?.stop();
    this.way = way;
    this.everyMs = everyMs;
    this.nRequests = this.nBytes = this.latencies.length = 0;
    this.sentAt = -1;
    history.replaceState(null, '', `?way=${way}${way === 'polling' ? `&every=${everyMs / 1000}` : ''}`);
    one('#every').hidden = way !== 'polling';
    one('#price').textContent = prices[way === 'polling' ? `polling-${everyMs}` : way]!;
    this.figures();
    this.following = follow(this.address, way, this.told(), { everyMs, restsHidden: this.demo.restsHidden ?? true });
    this.demo.rewired?.(this.following);
  }

  private told() {
    return {
      changed: (data: T) => this.changed(data),
      reached: (isReached: boolean) => this.reached(isReached),
      asked: () => this.asked(),
      received: (nBytes: number) => this.received(nBytes),
    };
  }

  private changed(data: T & Sent): void {
    const { sent } = data;

    if (this.sentAt >= 0 && sent && sent.at !== this.sentAt && sent.by !== me) this.latencies.push(Math.max(0, Date.now() - sent.at));
    this.sentAt = sent?.at ?? 0;
    document.documentElement.dataset.way = this.way; // there is something to be seen
    this.figures();
    this.demo.show(data);
  }

  private reached(isReached: boolean): void {
    one('#strip').classList.toggle('is-lost', !isReached);
    one('#lost').textContent = isReached ? '' : 'The server does not answer. Trying again…';
  }

  private asked(): void {
    this.nRequests++;
    this.figures();
    showClock(this.way === 'polling' ? this.everyMs : 0);
  }

  private received(nBytes: number): void {
    this.nBytes += nBytes;
    this.figures();
  }

  private figures(): void {
    const last = this.latencies.at(-1);

    one('#requests').textContent = String(this.nRequests);
    one('#bytes').textContent = bytesIn(this.nBytes);
    one('#latency').textContent = last === undefined ? '–' : secondsIn(last);
    one('#typical').textContent = this.latencies.length > 1 ? `median ${secondsIn(median(this.latencies))}` : '';
  }
}

const secondsIn = (ms: number) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
const bytesIn = (n: number) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`);
const median = (list: number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;

// The time until the next question, seen to run. Where nobody asks on time the line is full.
function showClock(everyMs: number): void {
  const clock = one('#clock');

  for (const running of clock.getAnimations()) running.cancel();
  if (everyMs && !matchMedia('(prefers-reduced-motion: reduce)').matches) clock.animate([{ scale: '0 1' }, { scale: '1 1' }], everyMs);
}

export const myName = () => ownName() || `guest ${me.slice(0, 3)}`;

function setUpName(): void {
  const input = one<HTMLInputElement>('#name');

  input.maxLength = NAME_MAX;
  input.value = ownName();
  input.placeholder = myName();
  input.addEventListener('change', () => keepName(input.value.trim()));
}

// The same person has the same colour everywhere: one of eight.
export const colorOf = (who: string) => `person-${[...who].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)!) % 8, 0)}`;
