// Documents that nobody has open: more than the server keeps loaded, so those that are taken up now and then were mostly
// unloaded meanwhile. Each must be as it was left.
import { Wire } from '../../lib/wire.mjs';
import { ask, envelope } from './requests.mjs';

const TEXT = { 'content-type': 'text/plain' };
const LETTERS = 1000;
const AT_ONCE = 16;

export class Shelf {
  constructor(run, n) {
    Object.assign(this, { run, n, random: run.chance(), pages: [] });
  }

  async start() {
    const fill = async () => {
      while (this.pages.length < this.n) {
        const page = this.run.ledger.page('shelf', `${this.pages.length}`, null);
        this.pages.push(Object.assign(page, { content: `${page.id} ${'x'.repeat(this.random.between(1, LETTERS))}` }));
        await ask(this.run, 'PUT', page.path, { headers: { ...TEXT, 'if-none-match': '*' }, body: page.content, statuses: [201] });
        page.acknowledge(0);
        page.exists = true;
      }
    };

    await Promise.all(Array.from({ length: AT_ONCE }, fill));
    this.wire = await Wire.open(this.run.server);
    await this.wire.shake();
  }

  async visit() {
    const page = this.random.oneOf(this.pages);
    const kind = this.random.next();

    if (page.isBusy || !page.exists) return;
    page.isBusy = true;
    if (kind < 0.4) this.prove(page, (await this.wire.fetch('shelf', page.id)).data, 'v');
    else if (kind < 0.7) this.prove(page, await envelope(this.run, page.path), 'version');
    else await this.change(page);
    page.isBusy = false;
  }

  prove(page, there, version) {
    if (there[version] !== page.head || there.data !== page.content) this.run.fault(`${page.name} is not as it was left at version ${page.head}`);
  }

  // Read and replaced, if nobody else was quicker, and nobody is; then once more for the version that is no longer there.
  async change(page) {
    const { headers } = await ask(this.run, 'GET', page.path);
    const request = { headers: { ...TEXT, 'if-match': headers.etag }, body: `${page.id} for the ${page.head}th time ${'y'.repeat(this.random.between(1, LETTERS))}` };

    await ask(this.run, 'PUT', page.path, request);
    page.content = request.body;
    page.acknowledge(page.head);
    this.run.measured.nWritten++;
    await ask(this.run, 'PUT', page.path, { ...request, statuses: [412] });
  }

  async leave() {
    await this.wire.close();
  }
}
