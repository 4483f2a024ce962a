#!/usr/bin/env node
// npm ShareDB's own server behind pilcrowd's flags, in memory: what our tests are tested with.
// With --db MODULE it keeps what that opens in the folder of --data (tests/bench/postgres/db.mjs).
// It forgets everything when it is killed, and PILCROW_BREAK=sides makes it transform for the wrong side.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

const require = createRequire(import.meta.url);
const ShareDB = require('sharedb');
const type = { ...require('ot-text-unicode').type };

if (process.env.PILCROW_BREAK === 'sides') {
  const transform = type.transform;
  type.transform = (op, other, side) => transform(op, other, side === 'left' ? 'right' : 'left');
}
ShareDB.types.register(type);
ShareDB.logger.setMethods({ info: () => {}, warn: () => {}, error: () => {} });

const flag = name => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : null);
const store = flag('--db') && (await import(flag('--db')));

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, async () => process.exit(await store?.close()));
const db = await store?.open(flag('--data'));
const share = new ShareDB({ ...(db && { db }), doNotForwardSendPresenceErrorsToClient: true });
const http = createServer((request, response) => response.writeHead(404).end());

new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 0 }).on('connection', socket => {
  const stream = new Duplex({
    objectMode: true,
    read() {},
    write(message, encoding, done) {
      socket.send(JSON.stringify(message));
      done();
    },
  });

  socket.on('message', data => stream.push(JSON.parse(data.toString())));
  socket.on('error', () => {});
  socket.on('close', () => {
    stream.push(null);
    stream.end();
    stream.destroy();
  });
  share.listen(stream);
});

const listen = flag('--listen').split(':');
http.listen(Number(listen[1]), listen[0], () => console.log(`http://${listen[0]}:${http.address().port}/`));
