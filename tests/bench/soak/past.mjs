// Versions of the past: what editors have seen is kept here and there, and asked for later, over HTTP and the WebSocket. What
// is answered must be what they saw.
import { isDeepStrictEqual } from 'node:util';

import { Wire } from '../../lib/wire.mjs';
import { plain } from './ledger.mjs';
import { ask, envelope, json } from './requests.mjs';

const KEPT_MAX = 100; // of a document; then one of them, by chance, makes room
const PAGES_MAX = 40; // the last ones seen first: what is asked for for ever is never unloaded, and memory would grow

export class Past {
  constructor(run) {
    this.run = run;
    this.random = run.chance();
    this.kept = new Map(); // page -> [{ version, data, time }]
    this.n = 0;
  }

  keep(page, version, data) {
    if (!this.kept.has(page)) {
      this.kept.set(page, []);
      if (this.kept.size > PAGES_MAX) this.kept.delete([...this.kept.keys()].find(each => !this.run.shared.includes(each)));
    }
    const seen = this.kept.get(page);

    seen[seen.length < KEPT_MAX ? seen.length : this.random.between(0, KEPT_MAX)] = { version, data, time: Date.now() };
  }

  forget(page) {
    this.kept.delete(page);
  }

  async start() {
    this.wire = await Wire.open(this.run.server);
    await this.wire.shake();
  }

  async ask() {
    const pages = [...this.kept.keys()];

    if (!pages.length) return;
    const page = this.random.oneOf(pages);
    const [one, other] = [0, 0].map(() => this.random.oneOf(this.kept.get(page)));
    await this.random.oneOf(['version', 'at', 'nf', 'nt', 'diff', 'page', 'history'].map(way => () => this[way](page, one, other)))();
  }

  same(page, { version, data }, answer, way) {
    if (!isDeepStrictEqual(plain(answer), data)) this.run.fault(`${page.name} at version ${version} is not by ${way} what an editor has seen`);
  }

  async version(page, one) {
    this.same(page, one, (await envelope(this.run, `${page.path}?version=${one.version}`)).data, 'version');
  }

  // Others may have written in that millisecond, or before the editor was told.
  async at(page, one) {
    const { version, data } = await envelope(this.run, `${page.path}?at=${new Date(one.time).toISOString()}`);

    if (version < one.version) this.run.fault(`${page.name} was seen at version ${one.version}, at which time it is said to have been at ${version}`);
    if (version === one.version) this.same(page, one, data, 'at');
  }

  async nf(page, one) {
    const { v, data } = await this.wire.ask({ a: 'nf', id: ++this.n, c: page.collection, d: page.id, v: one.version });

    if (v !== one.version) this.run.fault(`${page.name}: version ${one.version} was asked for, ${v} was answered`);
    this.same(page, one, data, 'nf');
  }

  async nt(page, one) {
    const { v, data } = await this.wire.ask({ a: 'nt', id: ++this.n, c: page.collection, d: page.id, ts: one.time });

    if (!(v >= one.version)) this.run.fault(`${page.name} was seen at version ${one.version}, at which time it is said to have been at ${v}`);
    if (v === one.version) this.same(page, one, data, 'nt');
  }

  // What differs leads from one to the other.
  async diff(page, one, other) {
    const path = `${page.path}/diff?from=${one.version}&to=${other.version}`;

    if (page.kind.name === 'text-unicode') await ask(this.run, 'GET', path);
    else this.same(page, other, page.kind.type.apply(page.kind.type.create(plain(one.data)), (await json(this.run, 'GET', path)).op), 'diff');
  }

  async page(page, one) {
    const { from, to, ops } = await json(this.run, 'GET', `${page.path}/ops?from=${one.version - 1}&limit=100`);

    if (from !== one.version - 1 || to !== from + ops.length || !ops.length || ops.some(({ v }, i) => v !== from + i)) this.run.fault(`a page of ${page.name} from ${one.version - 1} has gaps`);
  }

  async history(page, one) {
    const { history } = await json(this.run, 'GET', `${page.path}/history?to=${one.version}&limit=20`);

    if (history[0]?.to !== one.version) this.run.fault(`the history of ${page.name} up to ${one.version} begins at ${history[0]?.to}`);
    if (history.some(({ to }, i) => i && to !== history[i - 1].from)) this.run.fault(`the history of ${page.name} has gaps`);
  }

  async leave() {
    await this.wire.close();
  }
}
