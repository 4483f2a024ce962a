// Editors: the unmodified npm client in a document, writing by the clock. Now and then its line breaks behind an operation
// that nobody has acknowledged yet; it writes on, comes back under its id, sends again and catches up.
import { isDeepStrictEqual } from 'node:util';

import { Client, promised, warnings } from '../../lib/client.mjs';
import { Sequence, plain } from './ledger.mjs';
import { randomOp } from './operations.mjs';
import { until } from './run.mjs';

const WAITING_MAX = 12; // operations behind the one on its way; the client transforms all of them, so more would make it slower still
const CUTS = 1 / 150; // of operations
const AWAY_MS = [5, 400];
const KEPT = 1 / 30; // of the versions that an editor has got to with nothing on its way

export class Editor {
  constructor(run, kind, name) {
    Object.assign(this, { run, kind, name, returning: null, nFetches: 0 });
    this.random = run.chance();
    this.client = new Client(run.server, { again: () => this.random.between(...AWAY_MS) });
    this.client.connection.on('receive', ({ data }) => this.receive(data));
    this.client.connection.on('send', ({ a }) => (this.nFetches += a === 'f'));
  }

  async open(page) {
    this.page = page;
    this.sequence = new Sequence(page, this.name);
    this.doc = await this.client.open(page.collection, page.id, this.kind.initial, this.kind.type);
    page.exists = true;
  }

  // Every frame, before the client sees it. One that comes back asks for the operations it has missed twice, by its own and
  // by its subscription, so they may come again until both are answered, and what it has submitted in between. It also
  // fetches now and then, to place a caret.
  receive(frame) {
    const { page, sequence } = this;

    if (frame.error) return this.run.fault(`${this.name} was refused: ${JSON.stringify(frame).slice(0, 500)}`);
    if (!page || frame.c !== page.collection || frame.d !== page.id) return;
    if (frame.a === 's') {
      sequence.next ??= frame.data.v;
      this.returning = this.doc?.inflightOp;
    } else if (frame.a === 'f') {
      this.nFetches--;
    } else if (frame.a === 'op') {
      sequence.take(frame.v, this.returning || this.nFetches);
      if (frame.src === this.client.connection.id && !('op' in frame || 'create' in frame || 'del' in frame)) this.acknowledged(frame);
    }
  }

  acknowledged({ v, src, seq }) {
    this.page.acknowledge(v, src, seq);
    if (this.returning?.seq <= seq) this.returning = null;
  }

  write() {
    const { client, doc, run } = this;
    const { nCuts } = client;
    const isOnline = client.connection.canSend;
    const began = performance.now();

    if (doc.pendingOps.length >= WAITING_MAX) return run.measured.nMissed++;
    doc.submitOp(randomOp(this.kind, this.random, doc.data), error => {
      if (error) return run.fault(`${this.name}: ${error.stack}`);
      run.measured.nWritten++;
      if (isOnline && nCuts === client.nCuts) run.measured.acknowledged.push(performance.now() - began);
      if (!doc.hasWritePending() && this.random.next() < KEPT) run.past?.keep(this.page, doc.version, plain(doc.data));
    });
    if (this.random.next() < CUTS) this.cut();
  }

  // At once, so that the server may not have got it; or a turn later, so that the answer is lost.
  cut() {
    const cut = () => {
      this.returning = {};
      this.nFetches = 0;
      this.run.nCuts++;
      this.client.cut();
    };

    if (!this.client.connection.canSend) return;
    if (this.random.next() < 0.5) cut();
    else setTimeout(cut, 1);
  }

  // Everything that this editor has written is acknowledged.
  async settle() {
    await until(() => !this.doc.hasPending(), `${this.name} is told of all it has written`, this.run);
    for (const error of this.client.errors.splice(0)) this.run.fault(`${this.name}: ${error.stack}`);
    for (const warning of warnings.splice(0)) this.run.fault(`a client of the package warns: ${warning}`);
  }

  // Has it come to what is there, { version, type, data }?
  async agrees(there) {
    await until(() => this.doc.version >= there.version && this.sequence.next >= there.version, `${this.name} at version ${there.version} of ${this.page.name}`, this.run);
    if (!isDeepStrictEqual([this.doc.version, plain(this.doc.data)], [there.version, there.data]))
      this.run.fault(`${this.name} has other content than the server at version ${there.version} of ${this.page.name}`);
  }

  async remove() {
    await promised(done => this.doc.del(done));
    this.page.exists = false;
  }

  async leave() {
    await promised(done => this.doc.destroy(done));
    this.page = this.doc = null;
  }
}
