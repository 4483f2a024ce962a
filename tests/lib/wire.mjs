// The protocol, spoken by hand: frames out, frames in, in the order in which they came.
//
//   const wire = await Wire.open(server);       its `init` has been read: wire.init
//   const reply = await wire.ask({ a: 'f', ... });   exactly the reply; streamed frames stay in line for next()
//   const frame = await wire.next();            the oldest frame that nobody took
//   await wire.nothingMore();                   `pp` and back: whatever was due has come, and none is left untaken
import assert from 'node:assert/strict';
import WebSocket, { WebSocketServer } from 'ws';

export { WebSocket, WebSocketServer };

const TIMEOUT_MS = 15_000;

export const TEXT = 'http://sharejs.org/types/text-unicode';
export const JSON0 = 'http://sharejs.org/types/JSONv0';

// Is frame the reply to request? An `op` frame with content is streamed, not a reply.
function answers(frame, request) {
  if (frame.a !== request.a)
    return false;
  if (request.a === 'op')
    return frame.error ? frame.c === request.c && frame.d === request.d && frame.seq === request.seq
      : frame.d === request.d && frame.seq === request.seq && !('op' in frame) && !('create' in frame) && !('del' in frame);
  if (request.a === 'hs')
    return true;
  for (const key of ['c', 'd', 'id', 'ch'])
    if (key in request && key in frame && JSON.stringify(frame[key]) !== JSON.stringify(request[key]))
      return false;
  return true;
}

export class Wire {
  // options: path (default /v1/ws), headers, binary ... are those of `ws`. Waits for `init`.
  static async open(server, { path = '/v1/ws', ...options } = {}) {
    const wire = new Wire(new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { perMessageDeflate: false, ...options }));

    await wire.opened;
    wire.init = await wire.next();
    assert.equal(wire.init.a, 'init');
    return wire;
  }

  constructor(socket) {
    this.socket = socket;
    this.seq = 1;
    this.id = null; // after shake()
    this.frames = []; // not taken yet
    this.onFrame = null; // sees every frame first; returns true to keep it from the line
    this.waiting = [];
    this.end = null; // { code, reason } once closed
    this.opened = new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (request, response) => {
        reject(Object.assign(new Error(`upgrade answered ${response.statusCode}`), { status: response.statusCode, headers: response.headers }));
        request.destroy();
      });
    });
    this.closed = new Promise(resolve => socket.once('close', (code, reason) => {
      this.end = { code, reason: reason.toString() };
      resolve(this.end);
      this.wake();
    }));
    this.opened.catch(() => {});
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => {
      assert(!isBinary, 'servers send text frames only');
      const frame = JSON.parse(data.toString());
      if (this.onFrame && this.onFrame(frame))
        return;
      this.frames.push(frame);
      this.wake();
    });
  }

  wake() {
    for (const check of this.waiting.splice(0))
      check();
  }

  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  // The oldest frame in line that matches, taken out of it.
  async take(matches, what) {
    const deadline = Date.now() + TIMEOUT_MS;

    for (;;) {
      const i = this.frames.findIndex(matches);
      if (i >= 0)
        return this.frames.splice(i, 1)[0];
      if (this.end)
        throw new Error(`closed with ${this.end.code} ${this.end.reason} while waiting for ${what}`);
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`nothing came within ${TIMEOUT_MS} ms: ${what}; in line: ${JSON.stringify(this.frames).slice(0, 1000)}`);
      await new Promise(resolve => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async next() {
    return this.take(() => true, 'a frame');
  }

  async ask(message) {
    this.send(message);
    return this.take(frame => answers(frame, message), `the reply to ${JSON.stringify(message).slice(0, 200)}`);
  }

  async nothingMore() {
    await this.ask({ a: 'pp' });
    assert.deepEqual(this.frames, []);
  }

  // Handshake, as a client that comes for the first time, or again with the id it had.
  async shake(id = null) {
    const reply = await this.ask({ a: 'hs', id, protocol: 1, protocolMinor: 2 });

    this.id = reply.id;
    return reply;
  }

  // fields: v and one of op, create, del; perhaps src, seq.
  async submit(collection, id, fields) {
    return this.ask({ a: 'op', c: collection, d: id, seq: this.seq++, x: {}, ...fields });
  }

  // A text-unicode document with that content, made by this client.
  async createText(collection, id, text = '') {
    const reply = await this.submit(collection, id, { v: null, create: { type: TEXT, data: text } });

    assert.equal(reply.error, undefined, JSON.stringify(reply.error));
    return reply;
  }

  async fetch(collection, id, version = null) {
    return this.ask({ a: 'f', c: collection, d: id, v: version });
  }

  // Every operation of a document, from version 0 up to the head.
  async log(collection, id, from = 0) {
    const isOp = frame => frame.a === 'op' && frame.c === collection && frame.d === id;

    assert(!this.frames.some(isOp), 'read the log on a connection that has nothing streamed in line');
    await this.fetch(collection, id, from);
    const ops = this.frames.filter(isOp);
    this.frames = this.frames.filter(frame => !isOp(frame));
    return ops;
  }

  async close() {
    this.socket.close();
    return this.closed;
  }

  // The line breaks: nothing is said.
  async cut() {
    this.socket.terminate();
    return this.closed;
  }
}
