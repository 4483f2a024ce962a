// Being told over HTTP: who waits, and who follows a stream of events.
//
//   const line = new Line(server);  line.send(get(path, 'Header: x'));  await line.has(/pattern/);  await line.closed
//   const stream = await follow(server, path, headers);  await stream.next(); -> { event, id, data }    stream.close()
import { request } from 'node:http';
import { connect } from 'node:net';

export const get = (path, ...headers) => [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');

// A figure of /metrics. token: where there are accounts.
export async function figure(server, name, headers = {}) {
  const text = await (await fetch(`${server.url}/metrics`, { headers })).text();

  return Number(text.split('\n').find(line => line.startsWith(`${name} `)).slice(name.length + 1));
}

export async function until(holds) {
  while (!await holds()) await new Promise(resolve => setTimeout(resolve, 5));
}

// So many requests of that server wait, or streams are open.
export const waiting = (server, n, headers) => until(async () => await figure(server, 'pilcrow_http_waiting', headers) === n);
export const streaming = (server, n, headers) => until(async () => await figure(server, 'pilcrow_http_streams', headers) === n);

// A connection, byte by byte.
export class Line {
  constructor(server, options = {}) {
    this.text = '';
    this.socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true, ...options });
    this.connected = new Promise(resolve => this.socket.once('connect', resolve));
    this.closed = new Promise(resolve => this.socket.once('end', resolve).once('close', resolve).on('error', resolve));
    this.socket.setEncoding('latin1').on('data', data => {
      this.text += data;
      this.wanted?.();
    });
  }

  send(text) {
    this.socket.write(text);
    return this;
  }

  async has(pattern) {
    while (!pattern.test(this.text)) await new Promise(resolve => (this.wanted = resolve));
    return this.text.match(pattern);
  }
}

function eventOf(text) {
  const fields = Object.fromEntries(text.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));

  if (fields[''] !== undefined) return { comment: fields[''] };
  return { event: fields.event, id: fields.id === undefined ? undefined : Number(fields.id), data: JSON.parse(fields.data) };
}

class Stream {
  constructor(call, answer) {
    Object.assign(this, { call, status: answer.statusCode, headers: answer.headers, events: [], text: '' });
    answer.setEncoding('utf8').on('data', text => this.take(text)).on('end', () => this.end('end')).on('error', () => this.end('cut'));
  }

  take(text) {
    const parts = (this.text + text).split('\n\n');

    this.text = parts.pop();
    this.events.push(...parts.map(eventOf));
    this.wanted?.();
  }

  end(how) {
    this.ended ??= how;
    this.wanted?.();
  }

  // The next event; { ended: 'end' or 'cut' } when none comes any more.
  async next() {
    while (!this.events.length && !this.ended) await new Promise(resolve => (this.wanted = resolve));
    return this.events.shift() ?? { ended: this.ended };
  }

  close() {
    this.call.destroy();
  }
}

export const follow = (server, path, headers = {}) => new Promise((resolve, reject) => {
  const call = request({ port: server.port, host: '127.0.0.1', path, headers, agent: false }, answer => resolve(new Stream(call, answer)));

  call.on('error', reject);
  call.end();
});
