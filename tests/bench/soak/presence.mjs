// Who shows himself to whom: each editor on a channel of its own kind, and those of rich text a caret in their document. In the
// end everybody must see what everybody else showed last, and nobody else.
import { isDeepStrictEqual } from 'node:util';

import { promised } from '../../lib/client.mjs';
import { until } from './run.mjs';

class Shown {
  constructor(run, presence, name, valueOf) {
    Object.assign(this, { run, presence, name, valueOf });
  }

  async start() {
    await promised(done => this.presence.subscribe(done));
    this.local = this.presence.create(this.name);
    this.presence.on('error', error => this.run.fault(`presence of ${this.name}: ${error.stack}`));
  }

  // The client of the package is told nothing of what it sent on a line that broke, and the next one is shown all the same.
  show() {
    this.last = this.valueOf();
    this.local.submit(this.last, error => error && this.run.fault(`presence of ${this.name}: ${error.stack}`));
  }
}

// For the editors of one document, open in it. Each shows itself so many times a second.
export class Company {
  constructor(run, editors) {
    this.run = run;
    this.editors = editors;
  }

  async start(perSecond) {
    const { collection, id, kind } = this.editors[0].page;
    let n = 0;

    this.rooms = [this.editors.map(({ client, name }) => new Shown(this.run, client.connection.getPresence(`room ${id}`), name, () => ({ n: n++ })))];
    if (kind.name === 'rich-text')
      this.rooms.push(this.editors.map(({ client, name }) => new Shown(this.run, client.connection.getDocPresence(collection, id), name, () => ({ index: n++ % 2, length: 0 }))));
    for (const shown of this.rooms.flat()) {
      await shown.start();
      this.run.often(perSecond, () => shown.show());
    }
  }

  // When nobody writes any more.
  async prove() {
    for (const room of this.rooms) {
      for (const shown of room) shown.show();
      for (const { presence, name } of room) {
        const others = Object.fromEntries(room.filter(other => other.name !== name).map(other => [other.name, other.last]));
        await until(() => isDeepStrictEqual({ ...presence.remotePresences }, others), `${name} sees what the others show: ${JSON.stringify([presence.remotePresences, others])}`, this.run, 10_000);
      }
    }
  }
}
