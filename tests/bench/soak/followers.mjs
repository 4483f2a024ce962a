// Who only follows: over a WebSocket, spoken by hand, and over streams of events. Lines break now and then, and each goes on
// where it was. Every version must come once and in order, and with the same content to all.
import { follow } from '../../http/told.mjs';
import { Wire } from '../../lib/wire.mjs';
import { Sequence } from './ledger.mjs';

const LINE_MS = [5_000, 30_000]; // how long a line holds

// All shared documents on one line.
export class Follower {
  constructor(run, name) {
    Object.assign(this, { run, name, id: null });
    this.random = run.chance();
    this.sequences = new Map(run.shared.map(page => [page.id, new Sequence(page, name)]));
  }

  take(frame) {
    if (frame.a !== 'op') return false;
    const sequence = this.sequences.get(frame.d);
    sequence.take(frame.v);
    sequence.page.saw(frame);
    return true;
  }

  async connect() {
    this.wire = await Wire.open(this.run.server);
    const { id } = await this.wire.shake(this.id);
    if (this.id !== null && id !== this.id) this.run.fault(`${this.name} came back and was given another id`);
    this.id = id;
    this.wire.onFrame = frame => this.take(frame);
    for (const sequence of this.sequences.values()) {
      const { c, d } = { c: sequence.page.collection, d: sequence.page.id };
      const reply = await this.wire.ask({ a: 's', c, d, v: sequence.next });
      if (reply.error) this.run.fault(`${this.name} was refused ${c}/${d}: ${JSON.stringify(reply.error)}`);
      sequence.next ??= reply.data.v;
    }
  }

  async start() {
    await this.connect();
    this.run.again(async () => {
      await this.run.pause(this.random.between(...LINE_MS));
      if (this.run.isOver) return;
      await this.wire.cut();
      this.run.nCuts++;
      await this.connect();
    });
  }

  // It is done when everything has come, then closes.
  hasAll() {
    return [...this.sequences.values()].every(({ next, page }) => next >= page.head);
  }

  async leave() {
    await this.wire.nothingMore();
    await this.wire.close();
  }
}

// The stream of events of one document.
export function stream(run, page, sequence) {
  const random = run.chance();

  run.follow(async () => {
    const events = await follow(run.server, `${page.path}/stream`, { 'last-event-id': String(sequence.next) });
    const until = performance.now() + random.between(...LINE_MS);
    const watch = setInterval(() => (run.isClosed || performance.now() > until) && events.close(), 100);

    for (let event; !(event = await events.next()).ended; ) {
      if (event.event === 'op') sequence.take(event.data.v), page.saw(event.data);
      else if (event.comment === undefined) run.fault(`a stream of ${page.name} brought ${event.event}`);
    }
    clearInterval(watch);
    run.nCuts++;
  });
}
