// The unmodified npm ShareDB client on a socket that reconnects by itself, as a browser's page does.
import { createRequire } from 'node:module';
import WebSocket from 'ws';

const require = createRequire(import.meta.url);
const Connection = require('sharedb/lib/client/connection');
const types = require('sharedb/lib/types');

// What the clients of this process complain of to their user: an acknowledgement that does not follow its version, ...
export const warnings = [];
require('sharedb/lib/logger').setMethods({ warn: (...words) => warnings.push(words.map(word => JSON.stringify(word)).join(' ')) });

export const text = require('ot-text-unicode').type;
export const rich = require('rich-text').type;
export const json0 = types.defaultType;
export const json1 = require('ot-json1').type;
for (const type of [text, rich, json1])
  types.register(type);

// fn(callback) as a promise.
export function promised(fn) {
  return new Promise((resolve, reject) => fn((error, value) => (error ? reject(error) : resolve(value))));
}

export class Client {
  // again(): milliseconds until the next attempt after a cut. Kind: the Connection of another version of the package.
  constructor(server, { again = () => 20, Kind = Connection } = {}) {
    this.server = server;
    this.again = again;
    this.isOver = false;
    this.nCuts = 0;
    this.errors = []; // what the client itself complains of; a healthy run leaves it empty
    this.connection = new Kind(this.socket());
    this.connection.on('error', error => this.errors.push(error));
  }

  socket() {
    const socket = new WebSocket(this.server.webSocketUrl, { perMessageDeflate: false });

    socket.addEventListener('error', () => {});
    socket.addEventListener('close', () => {
      if (!this.isOver)
        setTimeout(() => !this.isOver && this.connection.bindToSocket(this.socket()), this.again());
    });
    return socket;
  }

  // The line breaks; the client comes back by itself.
  cut() {
    this.nCuts++;
    this.connection.socket.terminate();
  }

  close() {
    this.isOver = true;
    this.connection.close();
  }

  // A subscribed document; created with that content when it does not exist and there is one.
  async open(collection, id, initial, type = text) {
    const doc = this.connection.get(collection, id);

    doc.preventCompose = true;
    doc.on('error', error => this.errors.push(error));
    await promised(done => doc.subscribe(done));
    if (doc.type === null && initial !== undefined)
      await promised(done => doc.create(initial, type.uri, done));
    return doc;
  }
}

// When nothing is on its way or waiting in any of the documents.
export async function settled(docs) {
  for (const doc of docs)
    await new Promise(resolve => doc.whenNothingPending(resolve));
}

// An operation that fits the text: typing, deleting, replacing; also outside of the basic plane, where one code point
// is two units in JavaScript. Texts grow in the long run: one that is emptied again and again forgets what went wrong.
export function randomTextOp(random, content) {
  const length = [...content].length;
  const at = random.between(0, length + 1);
  const op = at ? [at] : [];
  const isDeleting = at < length && random.next() < 0.3;

  if (isDeleting)
    op.push({ d: random.between(1, Math.min(length - at, 4) + 1) });
  if (!isDeleting || random.next() < 0.3)
    op.push(random.oneOf(['a', 'bc', 'ä', '漢字', '😀', '👍🏽', '\n', ' ', '"\\', '\u2028']));
  return text.normalize(op);
}
