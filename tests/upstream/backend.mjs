// What stands where the tests have the reference's server, `Backend`: its connections lead to a running pilcrowd.
//
// Of the server's inside it has only what can be told from the wire or over HTTP:
//
//   connect(), listen(), close()     a WebSocket to a server of this backend's own
//   use('receive', 'submit', 'reply', 'readSnapshots', 'sendPresence')
//                                    called as the frame passes by, for hooks that watch or wait. What a hook holds
//                                    back is late, as on a slow network
//   connection.agent                 .stream ends when the server has ended the line; .clientId and .src are those of
//                                    the handshake
//   db.getOps()                      over HTTP
//
// Everything else is refused as soon as a test reaches for it, and remembered in `needs`.
import { EventEmitter, once } from 'node:events';
import { get } from 'node:http';
import Connection from 'sharedb/lib/client/connection.js';
import WebSocket from 'ws';

const now = Date.now;
const actions = ['afterWrite', 'apply', 'commit', 'connect', 'op', 'query', 'readSnapshots', 'receive', 'reply',
  'receivePresence', 'sendPresence', 'submit'];
const passing = ['readSnapshots', 'receive', 'reply', 'sendPresence', 'submit'];
const snapshotTypes = ['current', 'byVersion', 'byTimestamp'];
const named = words => Object.fromEntries(words.map(word => [word, word]));

export const needs = []; // what the running test wanted of the inside of a server
let servers;
export const useServers = theServers => (servers = theServers);

function need(what) {
  needs.push(what);
  throw new Error(`needs the inside of a server: ${what}`);
}

// An object that is only what it is: whatever else is read of it, and every change of it, is of the server's inside.
function only(object, name, { changeable = [] } = {}) {
  return new Proxy(object, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target || key === 'toJSON' || key === 'inspect' || key === 'then') return target[key];
      return need(`${name}.${key}`);
    },
    set(target, key, value) {
      if (!changeable.some(is => is(key, value))) need(`${name}.${key} =`);
      return true;
    },
    deleteProperty: (target, key) => need(`delete ${name}.${key}`),
  });
}

// What a hook is shown: to be looked at, not to be changed.
function shown(value, name) {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, key) => shown(target[key], `${name}.${String(key)}`),
    set: (target, key) => need(`${name}.${String(key)} =`),
    deleteProperty: (target, key) => need(`delete ${name}.${String(key)}`),
  });
}

async function operations(server, collection, id, from, to) {
  const { port } = await server.started;
  const range = new URLSearchParams({ from: from ?? 0, ...(to !== null && { to }) });
  const path = `/v1/docs/${encodeURIComponent(collection)}/${encodeURIComponent(id)}/ops?${range}`;
  const [answer] = await once(get({ port, path }), 'response');
  let text = '';

  for await (const part of answer) text += part;
  return JSON.parse(text).ops;
}

// A WebSocket to the server. What is sent or closed before it is open waits; after close() nothing is heard any more.
class Line {
  constructor(server, { opened, message, ended }) {
    this.waiting = [];
    this.isClosed = false;
    this.ended = ended;
    server.started.then(({ webSocketUrl }) => {
      this.socket = new WebSocket(webSocketUrl, { perMessageDeflate: false, allowSynchronousEvents: false });
      this.socket.on('error', () => {});
      this.socket.on('close', () => this.ended());
      this.socket.on('message', data => this.isClosed || message(String(data)));
      this.socket.on('open', () => {
        if (!this.isClosed) opened();
        for (const text of this.waiting.splice(0)) this.socket.send(text);
        if (this.isClosed) this.socket.close();
      });
    }, error => process.nextTick(() => { throw error; }));
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(text) {
    servers.setTime(Date.now === now ? null : Date.now()); // a test may have set the clock
    if (this.isOpen) this.socket.send(text);
    else this.waiting.push(text);
  }

  close() {
    this.isClosed = true;
    if (this.isOpen) this.socket.close();
  }
}

// The socket that a connection is bound to; it is closed at once for the client, as in the reference's tests.
class Socket {
  constructor(backend, agent) {
    this.readyState = 0;
    this.nHeld = 0; // frames of the client that have not left yet: hooks, or others' turns, hold them back
    this.outgoing = [];
    this.incoming = [];
    this.nUnanswered = 0; // operations
    this.backend = backend;
    this.agent = agent;
    backend.own.sockets.add(this);
    this.line = new Line(backend.server(), {
      opened: () => {
        this.readyState = 1;
        this.onopen();
      },
      message: text => this.receive(JSON.parse(text)),
      ended: () => {
        this.agent.target.stream.emit('end');
        backend.endTurn(this);
        if (this.readyState !== 3) this.over('ended');
      },
    });
  }

  send(text) {
    const frame = JSON.parse(text);
    const points = [['receive', { data: frame, agent: this.agent.proxy }]];

    if (frame.a === 'op') points.push(['submit', { op: frame }]);
    this.nHeld++;
    this.backend.pass(points, () => {
      this.outgoing.push({ text, isOp: frame.a === 'op' });
      this.flush();
    });
  }

  flush() {
    while (this.outgoing.length > 0) {
      const { text, isOp } = this.outgoing[0];

      if (isOp && !this.backend.takeTurn(this)) return;
      this.outgoing.shift();
      this.nUnanswered += isOp;
      this.line.send(text);
      if (--this.nHeld === 0 && this.readyState === 3) this.line.send('{"a":"pp"}'); // whose answer comes behind all others
    }
  }

  receive(frame) {
    const isStreamed = frame.a === 'op' && !frame.error && ('op' in frame || 'create' in frame || 'del' in frame);

    this.incoming.push({ frame, isStreamed });
    this.take();
  }

  // What others did is heard after they heard that it is done.
  take() {
    while (this.incoming.length > 0 && !(this.incoming[0].isStreamed && this.backend.isTurnOfOther(this)))
      this.deliver(this.incoming.shift());
  }

  deliver({ frame, isStreamed }) {
    const target = this.agent.target;
    const isOthers = frame.a === 'p' && frame.src !== (target.src ?? target.clientId);
    const points = [];

    if (frame.a === 'pp' && this.readyState === 3) {
      this.end();
      return;
    }
    if (frame.a === 'init' || frame.a === 'hs') {
      if (frame.a === 'hs' && target.clientId !== frame.id) target.src = frame.id;
      else target.clientId = frame.id;
    }
    if (isOthers) points.push(['sendPresence', { presence: frame }]);
    if (!frame.error && (['nf', 'nt'].includes(frame.a) || frame.data)) points.push(['readSnapshots', {}]);
    if (!frame.error && !isStreamed && !isOthers) points.push(['reply', { reply: frame }]);
    this.backend.pass(points, () => {
      if (this.readyState === 1) this.onmessage({ data: JSON.stringify(frame) });
    });
    if (frame.a === 'op' && !isStreamed && --this.nUnanswered === 0) this.backend.endTurn(this);
  }

  get stream() {
    return need('socket.stream');
  }

  close(reason) {
    if (this.readyState === 3) return;
    if (this.nHeld === 0) this.end();
    this.over(reason || 'closed');
  }

  end() {
    this.line.close();
    this.backend.endTurn(this);
  }

  over(reason) {
    this.readyState = 3;
    this.onclose?.(reason);
  }
}

const living = new Set();

function end(own) {
  living.delete(own);
  own.server?.end();
  own.server = null;
}

export class Backend {
  constructor(options = {}) {
    for (const option of Object.keys(options))
      if (!['presence', 'db'].includes(option)) need(`new Backend({${option}})`);
    this.own = { server: null, hooks: {}, turn: null, sockets: new Set() };
    this.MIDDLEWARE_ACTIONS = named(actions);
    this.SNAPSHOT_TYPES = named(snapshotTypes);
    this.db = only({
      getOps: (collection, id, from, to, _, callback) =>
        operations(this.server(), collection, id, from, to).then(ops => callback(null, ops), callback),
    }, 'backend.db');
    living.add(this.own);
    // What describes any pilcrowd may be said: it commits operations that do nothing, and never gives up.
    return only(this, 'backend', { changeable: [
      (key, value) => key === 'doNotCommitNoOps' && !value,
      (key, value) => key === 'maxSubmitRetries' && value > 0,
    ] });
  }

  // Taken when the first connection asks for it.
  server() {
    return (this.own.server ??= servers.take());
  }

  connect(connection, req, callback) {
    const agent = { target: { stream: new EventEmitter(), clientId: null, src: null } };

    agent.proxy = only(agent.target, 'agent');
    if (req) need('connect() with a request');
    const socket = new Socket(this, agent);
    if (connection) connection.bindToSocket(socket);
    else connection = new Connection(socket);
    connection.agent = agent.proxy;
    if (callback) connection.once('connected', () => callback(connection));
    return connection;
  }

  listen(stream) {
    const line = new Line(this.server(), {
      opened() {},
      message: text => stream.write(JSON.parse(text)),
      ended: () => stream.end(),
    });

    stream.on('data', frame => this.pass([['receive', { data: frame }]], () => line.send(JSON.stringify(frame))));
    stream.on('end', () => line.close());
    return only({}, 'agent');
  }

  use(action, hook) {
    if (!passing.includes(action)) need(`use('${action}')`);
    (this.own.hooks[action] ??= []).push(hook);
    return this;
  }

  // Operations of several connections take turns: some tests assert what is heard first on two lines, which no two lines
  // promise. They arrive one after the other, but made for the same version as before.
  takeTurn(socket) {
    this.own.turn ??= socket;
    return this.own.turn === socket;
  }

  isTurnOfOther(socket) {
    return this.own.turn !== null && this.own.turn !== socket;
  }

  endTurn(socket) {
    if (this.own.turn !== socket) return;
    this.own.turn = null;
    for (const other of this.own.sockets) {
      other.take();
      other.flush();
    }
  }

  // Through the hooks of these points, [action, request] each, one after the other, and then on.
  pass(points, on) {
    const calls = points.flatMap(([action, request]) => (this.own.hooks[action] || []).map(hook => [action, request, hook]));
    const next = i => {
      if (i === calls.length) return on();
      const [action, request, hook] = calls[i];

      hook(only(Object.fromEntries(Object.entries(request).map(([key, value]) => [key, key === 'agent' ? value : shown(value, key)])),
        `${action} request`), error => (error ? need(`refusing in use('${action}')`) : next(i + 1)));
    };

    next(0);
  }

  close(callback) {
    end(this.own);
    if (callback) process.nextTick(callback);
  }

  static endAll() {
    for (const own of living) end(own);
  }
}
