// Documents that come and go: created, written into by one editor and read by another for a while, proven, and then left alone
// or deleted; of these some are created again under their name by somebody else.
import { promised } from '../../lib/client.mjs';
import { Editor } from './editors.mjs';
import { ask, proven } from './requests.mjs';

export class Life {
  constructor(run, kind, name, { perSecond, lifeMs }) {
    Object.assign(this, { run, kind, name, perSecond, lifeMs });
    this.random = run.chance();
    this.editors = ['writer', 'reader'].map(role => new Editor(run, kind, `${role} of ${name}`));
    this.n = 0;
  }

  start() {
    this.run.again(() => this.live());
  }

  async live() {
    const { run, editors: [writer, reader] } = this;
    const page = run.ledger.page('lives', `${this.name}-${this.n++}`, this.kind);

    await writer.open(page);
    await reader.open(page);
    const stop = run.often(this.perSecond, () => writer.write());
    await run.pause(this.random.between(...this.lifeMs));
    stop();
    await writer.settle();
    const there = await proven(run, page);
    for (const editor of this.editors) await editor.agrees(there);
    const kind = this.random.next();
    if (kind < 0.3) await writer.remove();
    else if (kind < 0.6) await this.remove(page);
    if (!page.exists) run.past.forget(page);
    if (!page.exists && this.random.next() < 0.3) await this.revive(page);
    for (const editor of this.editors) await editor.leave();
  }

  async remove(page) {
    await ask(this.run, 'DELETE', page.path, { statuses: [204] });
    page.exists = false;
    page.acknowledge(page.head);
  }

  async revive(page) {
    const answer = await ask(this.run, 'PUT', page.path, { headers: { 'content-type': 'text/plain' }, body: 'once more', statuses: [201] });

    page.acknowledge(answer.version - 1);
    page.exists = true;
    page.kind = null; // another type has the name
  }

  close() {
    for (const { client } of this.editors) client.close();
  }
}

// One who follows the whole collection by a live query. In the end it must have what there is.
export async function watch(run, client) {
  const query = client.connection.createSubscribeQuery('lives', {});

  await promised(done => query.once('ready', done));
  query.on('error', error => run.fault(`the query of lives: ${error.stack}`));
  return query;
}
