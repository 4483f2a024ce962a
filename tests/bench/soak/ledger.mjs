// What clients were told, document by document, to be held against what the server has in the end.
//
//   const page = ledger.page('shared', 'text-0', kind);    one for each document, for ever
//   page.acknowledge(v, src, seq);                          version v is said to be this operation; over HTTP without src
//   page.saw(frame);                                        version v was shown with this content
//   ledger.verify(page, log, nLeast)                        whether the log says the same; what its operations make
//
// Each version must have been acknowledged to exactly one author, and each acknowledgement be its version's operation: so
// nothing is lost, done twice, or in another place.
import { json0, json1, rich, text } from '../../lib/client.mjs';

const OVER_HTTP = -1; // in place of a digest: the server makes up the names of such authors, beginning with ~
const FAULTS_MAX = 1000;
const types = new Map([text, rich, json0, json1].map(type => [type.uri, type]));

// FNV-1a of the UTF-16 units.
function digest(words) {
  let hash = 0x811c9dc5;

  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const contentOf = ({ op, create, del }) => digest(JSON.stringify([op, create, del]));

// As it comes out of JSON, whatever classes it had.
export const plain = value => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

export class Ledger {
  constructor() {
    this.pages = new Map();
    this.faults = [];
    this.nFaults = 0;
    this.nShown = 0;
  }

  fault(sentence) {
    if (this.nFaults++ < FAULTS_MAX) this.faults.push(sentence);
  }

  page(collection, id, kind) {
    const name = `${collection}/${id}`;

    if (!this.pages.has(name)) this.pages.set(name, new Page(this, collection, id, kind));
    return this.pages.get(name);
  }

  get nAcknowledged() {
    return [...this.pages.values()].reduce((n, page) => n + page.nAcknowledged, 0);
  }

  // Returns the content that the log makes: { type, data }, type null when there is no document. nLeast: what must be there.
  verify(page, log, nLeast = page.head) {
    const { name } = page;
    let now = { type: null, data: undefined };

    if (log.length < nLeast) this.fault(`${name}: ${nLeast} operations were acknowledged, ${log.length} are there`);
    log.forEach((op, v) => {
      const claim = page.claims[v];
      const isTheirs = claim === OVER_HTTP ? op.src.startsWith('~') : claim === digest(`${op.src} ${op.seq}`);

      if (op.v !== v) this.fault(`${name}: version ${op.v} stands at ${v}`);
      if (claim === undefined) this.fault(`${name}: version ${v} of ${op.src} ${op.seq} was acknowledged to nobody`);
      else if (!isTheirs) this.fault(`${name}: version ${v} is that of ${op.src} ${op.seq}, and was acknowledged to another`);
      if (page.shown[v] !== undefined && page.shown[v] !== contentOf(op)) this.fault(`${name}: version ${v} was shown with other content`);
      now = applied(now, op);
    });
    return { type: now.type, data: plain(now.data) };
  }
}

function applied({ type, data }, { op, create, del }) {
  if (del) return { type: null, data: undefined };
  if (create) return { type: create.type, data: types.get(create.type).create(create.data) };
  return { type, data: types.get(type).apply(data, op) };
}

class Page {
  constructor(ledger, collection, id, kind) {
    Object.assign(this, { ledger, collection, id, kind });
    this.name = `${collection}/${id}`;
    this.path = `/v1/docs/${collection}/${id}`;
    this.claims = []; // version -> digest of its author and number
    this.shown = []; // version -> digest of its content
    this.nAcknowledged = 0;
    this.head = 0; // what must be there by now
    this.exists = false;
  }

  acknowledge(v, src, seq) {
    const claim = src === undefined ? OVER_HTTP : digest(`${src} ${seq}`);

    if (this.claims[v] !== undefined) return this.ledger.fault(`${this.name}: version ${v} was acknowledged twice`);
    this.claims[v] = claim;
    this.nAcknowledged++;
    this.head = Math.max(this.head, v + 1);
  }

  saw(frame) {
    const content = contentOf(frame);

    this.ledger.nShown++;
    this.shown[frame.v] ??= content;
    if (this.shown[frame.v] !== content) this.ledger.fault(`${this.name}: version ${frame.v} was shown with two contents`);
  }
}

// The versions of a document as they come to one who follows it: each once and in order.
export class Sequence {
  constructor(page, who) {
    Object.assign(this, { page, who, next: null });
  }

  take(v, mayRepeat) {
    if (v > this.next) this.page.ledger.fault(`${this.who} was shown version ${v} of ${this.page.name} where ${this.next} was due`);
    else if (v < this.next && !mayRepeat) this.page.ledger.fault(`${this.who} was shown version ${v} of ${this.page.name} again`);
    this.next = Math.max(this.next, v + 1);
  }
}
