// Scripts: who reads and writes the shared documents over HTTP. Some answers to writers are lost, and some writers are not
// sure; they send the same request again under the same key and must be told the same.
import { ask, envelope, OPERATION } from './requests.mjs';
import { randomOp } from './operations.mjs';

const LOST = 0.1; // of the writes
const UNSURE = 0.1;
const WAIT_S = 5;

const merged = {
  'text-unicode': ({ data }, words) => ({ body: data + words, headers: { 'content-type': 'text/plain' } }),
  'rich-text': ({ data }, words) => ({
    body: JSON.stringify({ ops: [...data.ops, { insert: words, attributes: { italic: true } }] }),
    headers: { 'content-type': 'application/vnd.quill.delta+json' },
  }),
};

export class Script {
  constructor(run, name) {
    Object.assign(this, { run, name, n: 0, tags: new Map() });
    this.random = run.chance();
  }

  // Sent once more where nobody knows, or to make sure. Returns the version it was committed at.
  async write(page, method, path, { headers, body }) {
    const kind = this.random.next();
    const isLost = kind < LOST;
    const request = { body, headers: { ...headers, 'idempotency-key': `${this.name}-${this.n++}`, 'pilcrow-author': this.name } };
    const first = await ask(this.run, method, path, { ...request, isLost });
    const answer = isLost || kind < LOST + UNSURE ? await ask(this.run, method, path, request) : first;

    if (first && (first.text !== answer.text || first.version !== answer.version)) this.run.fault(`${method} ${path} was answered ${first.text}, then ${answer.text}`);
    if (answer.status !== 200) return;
    page.acknowledge(answer.version - 1);
    this.run.measured.nWritten++;
  }

  // An operation for what was read, or the whole content with what others have written since in it.
  async edit(page) {
    const there = await envelope(this.run, page.path);

    if (page.kind.name in merged && this.random.next() < 0.4)
      return this.write(page, 'PUT', `${page.path}?base=${there.version}`, merged[page.kind.name](there, ` word${this.n}`));
    const op = randomOp(page.kind, this.random, there.data);
    return this.write(page, 'PATCH', page.path, { headers: OPERATION, body: JSON.stringify({ v: there.version, op }) });
  }

  // The newest there is, or nothing if that is known; never older than what was acknowledged before the question.
  async read(page) {
    const { head } = page;
    const known = this.random.next() < 0.5 && this.tags.get(page);
    const answer = await ask(this.run, 'GET', page.path, { headers: known ? { 'if-none-match': known.tag } : {}, statuses: known ? [200, 304] : [200] });

    if (answer.status === 304 && known.version < head) this.run.fault(`${page.name}: 304 for version ${known.version}, and ${head} was acknowledged`);
    if (answer.status !== 200) return;
    if (!(answer.version >= head)) this.run.fault(`${page.name}: version ${answer.version} was read, and ${head} was acknowledged`);
    this.tags.set(page, { tag: answer.headers.etag, version: answer.version });
  }
}

// All documents of a collection, page by page: those that have been there since before are among them.
export async function list(run, collection) {
  const before = [...run.ledger.pages.values()].filter(page => page.collection === collection && page.exists && page.head);
  const found = new Set();
  let path = `/v1/docs/${collection}?limit=100`;

  while (path) {
    const { text, headers } = await ask(run, 'GET', path);
    for (const { id } of JSON.parse(text).documents) found.add(id);
    path = headers.link?.match(/<([^>]+)>; rel="next"/)?.[1];
  }
  for (const page of before)
    if (page.exists && !found.has(page.id)) run.fault(`${page.name} is missing in the list`);
}

// Asks for what comes next, again and again, and misses nothing.
export function poll(run, page, sequence) {
  run.follow(async () => {
    const path = `${page.path}/ops?from=${sequence.next}&wait=${WAIT_S}`;
    const answer = await ask(run, 'GET', path, { statuses: [200, 204], waits: true });

    if (answer.status === 200) for (const op of JSON.parse(answer.text).ops) sequence.take(op.v), page.saw(op);
  });
}

// What is refused, and how; nothing of it may change anything.
export async function provoke(run, page) {
  const body = JSON.stringify({ v: page.head + 1_000_000, op: [] });
  const none = { 'content-type': 'text/plain', 'if-match': '"none"' };

  await ask(run, 'GET', '/v1/docs/nowhere/nothing', { statuses: [404] });
  await ask(run, 'PUT', page.path, { headers: none, body: 'x', statuses: [412, 415] });
  await ask(run, 'PATCH', page.path, { headers: { 'content-type': 'text/csv' }, body: 'a,b', statuses: [415] });
  await ask(run, 'PATCH', page.path, { headers: OPERATION, body, statuses: [409] });
  await ask(run, 'GET', `${page.path}?version=1000000000`, { statuses: [404] });
}

