// The page on its document's channel: says where its caret is, and hears where the others' are.
//
// It speaks when nothing of its own is waiting, so that its place belongs to a committed version; and only when the place
// is not the one that the others find by themselves, by moving the last one over what was committed since. What was last
// said moves along here, too: the client repeats it to whoever comes later.
import type { Connection, Doc, LocalPresence, PresenceChannel } from 'sharedb/lib/client';
import { People, freeColor, type Said } from './people.ts';
import { movePlace, shapeOf, type Place, type Shape } from './place.ts';

const GAP_MS = 100; // between two updates
const LISTEN_MS = 250; // before the first one, to see which colours are taken
const ASK_MS = 500;

export interface PresencePage {
  name(): string;
  place(): Place | null; // in the document as committed; null: there is no saying just now
  changed(): void; // people, or their places
}

export class Presence {
  readonly people: People;
  private readonly channel: PresenceChannel;
  private readonly local: LocalPresence;
  private said: Said | null = null; // what the others know
  private color = -1; // not chosen
  private isAway = false;
  private speakAt = Infinity;
  private speakTimer = 0;
  private askTimer = 0;

  constructor(
    private readonly connection: Connection,
    private readonly doc: Doc,
    private readonly page: PresencePage,
  ) {
    this.people = new People(doc.version ?? 0, () => this.ask());
    this.channel = connection.getPresence(`carets/${doc.collection}/${doc.id}`);
    this.local = this.channel.create();
    this.local.on('error', error => console.warn(error));
    this.channel.on('error', error => console.warn(error));
    this.channel.on('receive', (id, value) => this.hear(id, value));
    this.channel.subscribe(error => (error ? console.warn(error) : this.join()));
    connection.on('state', state => this.follow(state));
    connection.on('receive', request => this.foresee(request.data));
    doc.on('load', () => this.restart(doc.version ?? 0));
    doc.on('no write pending', () => this.touch());
  }

  get ownColor(): number {
    return this.color;
  }

  // Something may have changed that the others see: caret, text, name.
  touch(): void {
    if (this.speakTimer || this.speakAt === Infinity) return;
    this.speakTimer = setTimeout(() => this.speak(), Math.max(0, this.speakAt - Date.now()));
  }

  // Away: not shown to anybody, but looking on.
  setAway(isAway: boolean): void {
    this.isAway = isAway;
    this.touch();
  }

  private join(): void {
    this.speakAt = Date.now() + LISTEN_MS;
    this.touch();
  }

  private follow(state: string): void {
    if (state === 'connected') return this.touch();
    // Nobody knows how it stands elsewhere; and the server has taken back what was said.
    this.said = null;
    this.people.clear();
    this.page.changed();
  }

  private hear(id: string, value: unknown): void {
    this.people.receive(id, value, Date.now());
    this.page.changed();
  }

  // Of every message of the server's, before the client acts on it.
  private foresee(message: any): void {
    if (message?.a !== 'op' || message.error || message.c !== this.doc.collection || message.d !== this.doc.id) return;
    if (message.v !== this.doc.version) return; // the client has it already, or will fetch what lies between
    const sent = this.doc.inflightOp;
    const isAnswer = !message.op && !message.create && !message.del && sent?.src === message.src && sent?.seq === message.seq;
    const { op, create, del } = isAnswer ? sent! : message;

    if (create || del) this.restart(message.v + 1);
    else this.commit(shapeOf(op ?? []), message.src);
  }

  private commit(shape: Shape, src: string): void {
    const { said } = this;

    this.people.committed(shape, src, Date.now());
    if (said && said.anchor !== null) Object.assign(said, movePlace(said as Place, shape, src === said.src), { v: said.v + 1 });
    this.touch();
    this.page.changed();
  }

  private restart(version: number): void {
    const hadPlaces = this.people.all().some(person => person.place);

    this.people.restart(version);
    if (this.said) Object.assign(this.said, { anchor: null, head: null, v: version });
    if (hadPlaces) this.ask();
    this.touch();
    this.page.changed();
  }

  private speak(): void {
    this.speakTimer = 0;
    if (this.connection.state !== 'connected') return;
    if (this.isAway) return this.say(null);
    const place = this.page.place();

    if (!place) return; // "no write pending", or the end of what holds it up, comes back here
    if (this.color < 0) this.color = freeColor(this.local.presenceId, this.people.all());
    this.say({ name: this.page.name(), color: this.color, src: this.connection.id, ...place, v: this.doc.version! });
  }

  private say(value: Said | null): void {
    if (JSON.stringify(value) === JSON.stringify(this.said)) return;
    this.said = value;
    this.speakAt = Date.now() + GAP_MS;
    this.local.submit(value);
    this.page.changed();
  }

  // Whoever is here says again where.
  private ask(): void {
    if (this.askTimer) return;
    this.askTimer = setTimeout(() => {
      this.askTimer = 0;
      if (this.connection.canSend) this.connection.send({ a: 'pr', ch: this.channel.channel });
    }, ASK_MS);
  }
}
