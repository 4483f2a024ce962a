// Clients who write, and who remember what they were told: the jury of tests that kill the server.
//
//   const witness = new Witness(server, random, documents);
//   await witness.start();  await witness.rest();  await witness.check();
//
// A writer sends one operation at a time (a token of its own, at the beginning of the text, so that it fits every
// version), and after a cut sends it again under its old id, as the protocol demands. It notes each acknowledgement. A
// listener subscribes to every document and notes each operation that it is shown.
import assert from 'node:assert/strict';
import { Wire } from './wire.mjs';

const N_WRITERS_PER_DOCUMENT = 3;
const N_LISTENERS = 2;

export class Witness {
  constructor(server, random, documents) {
    this.server = server;
    this.random = random;
    this.documents = documents;
    this.acknowledged = new Map(documents.map(d => [d, new Map()])); // document -> token -> version
    this.sent = new Map(documents.map(d => [d, new Set()]));
    this.shown = new Map(documents.map(d => [d, new Map()])); // document -> version -> frame as text
    this.faults = []; // what must never be seen, as sentences
    this.closeCodes = new Map();
    this.isOver = false;
    this.over = new Promise(resolve => (this.endAll = resolve));
    this.isResting = false;
    this.wires = new Set();
    this.working = [];
  }

  async start() {
    const wire = await Wire.open(this.server);

    for (const d of this.documents)
      await wire.createText('witness', d, '');
    await wire.close();
    this.working = [
      ...this.documents.flatMap(d => Array.from({ length: N_WRITERS_PER_DOCUMENT }, (_, i) => this.write(d, `${d}.${i}`))),
      ...Array.from({ length: N_LISTENERS }, () => this.listen()),
    ];
  }

  get nAcknowledged() {
    return [...this.acknowledged.values()].reduce((n, tokens) => n + tokens.size, 0);
  }

  get nShown() {
    return [...this.shown.values()].reduce((n, frames) => n + frames.size, 0);
  }

  // A connection, as soon as there is one; null when all is over.
  async connect(id) {
    while (!this.isOver) {
      try {
        const wire = await Wire.open(this.server);
        const reply = await wire.shake(id);
        if (id !== null && reply.id !== id)
          this.faults.push(`id ${id} was not given back`);
        this.wires.add(wire);
        wire.closed.then(({ code }) => this.wires.delete(wire) && this.closeCodes.set(code, (this.closeCodes.get(code) || 0) + 1));
        return wire;
      } catch {
        await new Promise(resolve => setTimeout(resolve, this.random.between(2, 30)));
      }
    }
    return null;
  }

  async write(d, name) {
    let id = null;
    let waiting = null; // sent, not answered
    let seq = 1;
    let version = 1;

    while (!this.isOver) {
      const wire = await this.connect(id);
      if (!wire)
        return;
      id = wire.id;
      wire.onFrame = frame => {
        if (frame.a !== 'op' || !('op' in frame) || frame.error)
          return false;
        if (frame.src === id)
          this.faults.push(`${name} was shown its own operation ${frame.seq}`);
        return true; // what it missed
      };
      try {
        while (waiting || !(this.isResting || this.isOver)) {
          if (!waiting) {
            const token = `<${name}:${seq}>`;
            waiting = { token, message: { a: 'op', c: 'witness', d, v: version, seq: seq++, op: [token] } };
            this.sent.get(d).add(token);
          } else {
            waiting.message.src = id;
          }
          const reply = await wire.ask(waiting.message);
          if (reply.error) {
            this.faults.push(`${waiting.token} was refused: ${JSON.stringify(reply.error)}`);
            return;
          }
          this.acknowledged.get(d).set(waiting.token, reply.v);
          version = reply.v + 1;
          waiting = null;
        }
        await wire.close();
        return;
      } catch (error) {
        if (!wire.end)
          throw error;
      }
    }
  }

  async listen() {
    const next = new Map(this.documents.map(d => [d, null]));

    while (!this.isOver) {
      const wire = await this.connect(null);
      if (!wire)
        return;
      wire.onFrame = frame => {
        if (frame.a !== 'op' || frame.error)
          return false;
        const shown = this.shown.get(frame.d);
        const text = JSON.stringify([frame.src, frame.seq, frame.op]);
        if (shown.has(frame.v) && shown.get(frame.v) !== text)
          this.faults.push(`${frame.d} version ${frame.v} was shown as ${shown.get(frame.v)}, then as ${text}`);
        if (next.get(frame.d) !== null && frame.v !== next.get(frame.d))
          this.faults.push(`${frame.d}: version ${frame.v} was shown where ${next.get(frame.d)} was due`);
        shown.set(frame.v, text);
        next.set(frame.d, frame.v + 1);
        return true;
      };
      try {
        for (const d of this.documents) {
          const reply = await wire.ask({ a: 's', c: 'witness', d, v: next.get(d) });
          if (reply.error)
            this.faults.push(`a listener at ${d} version ${next.get(d)} was refused: ${JSON.stringify(reply.error)}`);
          else if (reply.data)
            next.set(d, Math.max(next.get(d) || 0, reply.data.v));
        }
        await Promise.race([wire.closed, this.over]);
        if (this.isOver)
          await wire.close();
      } catch (error) {
        if (!wire.end)
          throw error;
      }
    }
  }

  // Lets every writer have its last answer, then ends. The server must be running.
  async rest() {
    const writers = this.working.slice(0, -N_LISTENERS);

    this.isResting = true;
    await Promise.all(writers);
    this.isOver = true;
    this.endAll();
    await Promise.all(this.working);
  }

  // Holds notes against logs, Map document -> operations from version 0 on. Returns the faults, as sentences.
  verify({ acknowledged, shown, faults }, logs) {

    for (const d of this.documents) {
      const log = logs.get(d);
      const versions = new Map(); // token -> version
      const identities = new Set();

      log.forEach((op, i) => {
        if (op.v !== i)
          faults.push(`${d}: version ${op.v} stands at ${i}`);
        if (identities.has(`${op.src} ${op.seq}`))
          faults.push(`${d}: ${op.src} ${op.seq} is there twice`);
        identities.add(`${op.src} ${op.seq}`);
        if (!op.op)
          return;
        const token = op.op.find(part => typeof part === 'string');
        if (versions.has(token))
          faults.push(`${d}: ${token} is there twice`);
        if (!this.sent.get(d).has(token))
          faults.push(`${d}: ${token} was never sent`);
        versions.set(token, op.v);
      });
      for (const [token, version] of acknowledged.get(d))
        if (versions.get(token) !== version)
          faults.push(`${d}: ${token} was acknowledged at ${version}, and is ${versions.has(token) ? `at ${versions.get(token)}` : 'lost'}`);
      for (const [version, text] of shown.get(d)) {
        const op = log[version];
        const there = op && JSON.stringify([op.src, op.seq, op.op]);
        if (there !== text)
          faults.push(`${d}: version ${version} was shown as ${text}, and is ${there}`);
      }
    }
    return faults;
  }

  // The notes are taken before the logs are read: the clients may be at work again.
  async check() {
    const copy = notes => new Map([...notes].map(([d, entries]) => [d, new Map(entries)]));
    const notes = { acknowledged: copy(this.acknowledged), shown: copy(this.shown), faults: [...this.faults] };
    const wire = await Wire.open(this.server);
    const logs = new Map();

    for (const d of this.documents)
      logs.set(d, await wire.log('witness', d));
    await wire.close();
    const faults = this.verify(notes, logs);
    assert.deepEqual(faults.slice(0, 10), [], `${faults.length} faults`);
  }

  // Ends at once, whatever is still unanswered.
  async abandon() {
    this.isOver = true;
    this.endAll();
    for (const wire of this.wires)
      wire.socket.terminate();
    await Promise.allSettled(this.working);
  }
}
