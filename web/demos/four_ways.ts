// Four ways to be told of the changes of one JSON document, behind one function. Take what you need.
//
//                      who speaks first       what a change costs              what silence costs
//     polling          the page, on time      the document                     a request and a 304 each time
//     long-polling     the page, and waits    a request and the document       a request and a 304 every 25 s
//     events           the server             the operation                    a comment now and then
//     websocket        both                   the operation                    a ping now and then
//
// Each begins with the present state, misses nothing that comes later, and comes back by itself when the line was broken.
import { types, type Connection, type Doc } from 'sharedb/lib/client';
import { documentUrl, socketUrl, type Address } from '../src/address.ts';
import { ownName, ownToken } from '../src/keep.ts';
import { Link, backOff } from '../src/link.ts';

export type Way = 'polling' | 'long-polling' | 'events' | 'websocket';

export interface Told {
  changed(data: any): void; // the present state: to be shown, neither kept nor changed. Once at the start, then with every change
  reached(isReached: boolean): void; // whether the server answers
  asked(): void; // a request was sent, or a line opened
  received(nBytes: number): void; // what came for it, as far as a page can see that
}

export interface Manner {
  everyMs: number; // polling: between two questions
  restsHidden: boolean; // nobody asks for a page that nobody sees
}

export interface Following {
  readonly connection?: Connection; // with a WebSocket: for presence
  look(): void; // there may be something new: ask now, where it is the page that asks
  stop(): void; // nothing is told any more
}

export function follow(address: Address, way: Way, told: Told, { everyMs, restsHidden }: Manner): Following {
  switch (way) {
    case 'polling':
      return new Asking(documentUrl(address), told, everyMs, restsHidden);
    case 'long-polling':
      return new Asking(`${documentUrl(address)}?wait=${WAIT_SECONDS}`, told, 0, restsHidden);
    case 'events':
      return new Listening(`${documentUrl(address)}/stream`, told);
    case 'websocket':
      line ??= new Line(address);
      return line.follow(told);
  }
}

const WAIT_SECONDS = 25; // less than what proxies allow a request, mostly 30 or 60
const GAP_MS = 1000; // of long-polling, when the server does not wait
const STALE_MS = 60_000; // a line that nobody looked at for so long may be dead without having been closed

const json0 = types.defaultType;
const sizeOf = (text: string) => new TextEncoder().encode(text).length;

// ---- polling and long-polling: the same question, answered at once or when there is something to say -----------------

// The ETag says what we have. With If-None-Match the server answers 304 while that is still so, without a body; told to
// wait, it keeps the question until it isn't. Nothing is lost between two questions, since each says what the last brought.
class Asking implements Following {
  private readonly end = new AbortController();
  private etag = '';
  private isDue = false;
  private wake = () => {};

  constructor(
    private readonly url: string,
    private readonly told: Told,
    private readonly pauseMs: number,
    private readonly restsHidden: boolean,
  ) {
    const { signal } = this.end;

    document.addEventListener('visibilitychange', () => document.hidden || this.look(), { signal });
    addEventListener('online', () => this.look(), { signal });
    void this.run();
  }

  look(): void {
    this.isDue = true;
    this.wake();
  }

  stop(): void {
    this.end.abort();
    this.wake();
  }

  private async run(): Promise<void> {
    for (let nFailures = 0; ; ) {
      const began = Date.now();
      const answer = await this.ask();

      if (this.end.signal.aborted) return;
      nFailures = answer ? 0 : nFailures + 1;
      this.told.reached(answer !== null);
      if (answer?.text) this.told.changed(JSON.parse(answer.text));
      if (!answer) await this.pause(backOff(nFailures, Math.random()));
      else if (answer.text || Date.now() - began > GAP_MS) await this.pause(this.pauseMs);
      else await this.pause(Math.max(this.pauseMs, GAP_MS));
    }
  }

  // No text: nothing new. null: no answer, or none that helps.
  private async ask(): Promise<{ text: string } | null> {
    this.told.asked();
    try {
      const headers = this.etag ? { 'If-None-Match': this.etag } : {};
      const answer = await fetch(this.url, { headers, cache: 'no-store', signal: this.end.signal });
      const text = await answer.text();

      this.told.received(headSize(answer) + sizeOf(text));
      if (answer.status === 304) return { text: '' };
      if (answer.status !== 200) return null;
      this.etag = answer.headers.get('ETag') ?? '';
      return { text };
    } catch {
      return null;
    }
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>(done => {
      const timer = this.isDue ? setTimeout(done) : document.hidden && this.restsHidden ? 0 : setTimeout(done, ms);

      this.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    this.isDue = false;
  }
}

// The head of an answer, as HTTP/1.1 writes it.
const headSize = (answer: Response) => [...answer.headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 'HTTP/1.1 200 OK\r\n\r\n'.length);

// ---- Server-Sent Events: one answer that does not end ----------------------------------------------------------------

// The first event is the document as it is, every further one an operation on it. After a break the browser asks again by
// itself and says in Last-Event-ID which version it has, so that the server goes on there; or, when it does not keep what
// came since, begins again with the document.
class Listening implements Following {
  private source!: EventSource;
  private data: any = null;
  private version = ''; // of the data; '': there is none yet
  private nFailures = 0;
  private timer = 0;
  private seenAt = Date.now();
  private readonly end = new AbortController();

  constructor(
    private readonly url: string,
    private readonly told: Told,
  ) {
    const { signal } = this.end;

    addEventListener('online', () => this.open(), { signal });
    document.addEventListener('visibilitychange', () => this.seen(), { signal });
    this.open();
  }

  look(): void {} // the server speaks when there is something to say

  stop(): void {
    this.end.abort();
    clearTimeout(this.timer);
    this.source.close();
  }

  private open(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = new EventSource(this.version ? `${this.url}?after=${this.version}` : this.url);
    this.source.onopen = () => this.opened();
    this.source.onerror = () => this.failed();
    this.on('snapshot', snapshot => snapshot.data);
    this.on('op', ({ op, create }) => (op ? json0.apply(this.data, op) : (create?.data ?? null)));
  }

  private on(name: string, next: (said: any) => any): void {
    this.source.addEventListener(name, ({ data: text, lastEventId }) => {
      this.told.received(sizeOf(`event: ${name}\nid: ${lastEventId}\ndata: ${text}\n\n`));
      this.data = next(JSON.parse(text));
      this.version = lastEventId;
      if (this.data !== null) this.told.changed(this.data);
    });
  }

  private opened(): void {
    this.nFailures = 0;
    this.told.asked();
    this.told.reached(true);
  }

  // A broken line is the browser's business; an answer that is no stream of events (the server stops, say) is ours.
  private failed(): void {
    this.told.reached(false);
    if (this.source.readyState === EventSource.CLOSED) this.timer = window.setTimeout(() => this.open(), backOff(this.nFailures++, Math.random()));
  }

  private seen(): void {
    if (document.hidden) this.seenAt = Date.now();
    else if (Date.now() - this.seenAt > STALE_MS) this.open();
  }
}

// ---- WebSocket: the npm client, on a line that is kept open by ../src/link.ts ---------------------------------------

// One for the page: the client's connection outlives its sockets, and knows what it has seen.
let line: Line | null = null;

class Line {
  private readonly link: Link;
  private readonly doc: Doc;
  private told: Told | null = null;
  private isCurrent = false; // has what was committed until it was subscribed to

  constructor(address: Address) {
    this.link = new Link(() => this.address(), () => this.told?.reached(this.link.state === 'connected'));
    this.doc = this.link.connection.get(address.collection, address.id);
    this.link.connection.on('receive', ({ data }) => this.told?.received(sizeOf(JSON.stringify(data))));
    for (const event of ['create', 'op batch'] as const) this.doc.on(event, () => this.show());
  }

  follow(told: Told): Following {
    this.told = told;
    this.isCurrent = false;
    if (this.link.state === 'refused') this.link.admit();
    else told.asked();
    this.doc.subscribe(error => (error ? console.warn(error) : this.begin(told)));
    return { connection: this.link.connection, look: () => {}, stop: () => this.stop() };
  }

  private stop(): void {
    this.told = null;
    this.link.refuse(); // until follow()
    this.doc.unsubscribe();
  }

  // The first time with the document; later with what was missed meanwhile.
  private begin(told: Told): void {
    this.isCurrent = this.told === told;
    this.show();
  }

  private show(): void {
    if (this.isCurrent && this.doc.type !== null) this.told?.changed(this.doc.data);
  }

  private address(): string {
    this.told?.asked();
    return socketUrl(ownName(), ownToken());
  }
}
