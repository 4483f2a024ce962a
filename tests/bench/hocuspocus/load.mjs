#!/usr/bin/env node
// What protocol_load does, for a server that speaks Yjs' protocol: submit and fan-out, its arguments and its results.
//
//   load.mjs submit|fan-out N PORT PID [--outstanding K] [--warm S] [--seconds S] [--patience S]
//
// Each operation puts a piece of a text first, as there. An update counts as acknowledged by the `SyncStatus` that answers it.
// Every reader must get every piece once, in order, and who comes at the end gets the text that they make. Encoding and reading
// are done by hand, but for the writers' updates: this process has enough to do.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import WebSocket from 'ws';
import * as Y from 'yjs';

import { cpuSeconds } from '../../lib/server.mjs';

const SYNC = 0, AUTH = 2, SYNC_REPLY = 4, SYNC_STATUS = 8;
const STEP1 = 0, STEP2 = 1, UPDATE = 2;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(['outstanding', 'warm', 'seconds', 'patience'].map(name => [name, { type: 'string' }])),
});
const [mode, n, port, pid] = [positionals[0], ...positionals.slice(1).map(Number)];
const { outstanding = 1, warm = 0.5, seconds = 2, patience = 30 } = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value)]));
const counts = { acknowledged: 0, told: 0, answered: 0 };
const times = { acknowledged: [], told: [] };
let isSending = false, isMeasuring = false, moved = () => {};

// ---- one client --------------------------------------------------------------------------------------------------------

function message(name, ...parts) {
  const encoder = encoding.createEncoder();

  encoding.writeVarString(encoder, name);
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part);
    else if (typeof part === 'string') encoding.writeVarString(encoder, part);
    else encoding.writeVarUint8Array(encoder, part);
  }
  return encoding.toUint8Array(encoder);
}

// Calls onUpdate(bytes) and onStatus(); resolves when it has the document, with the state that it got.
function join(name, { onUpdate = () => {}, onStatus = () => {} } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });

  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(message(name, AUTH, 0, '')));
    socket.on('message', data => {
      const decoder = decoding.createDecoder(data);

      decoding.readVarString(decoder);
      const type = decoding.readVarUint(decoder);
      if (type === SYNC_STATUS) {
        assert.equal(decoding.readVarUint(decoder), 1);
        onStatus();
      } else if (type === AUTH) {
        socket.send(message(name, SYNC, STEP1, new Uint8Array([0])));
      } else if (type === SYNC || type === SYNC_REPLY) {
        const step = decoding.readVarUint(decoder);

        if (step === UPDATE) onUpdate(data);
        else if (step === STEP2) resolve({ socket, state: decoding.readVarUint8Array(decoder) });
      }
    });
  });
}

// ---- operations --------------------------------------------------------------------------------------------------------

const pieceOf = i => `${String(i).padStart(10, '0')};`;
const at = new Map(); // documents' names to their writers

function complete(writer, i) {
  writer.left.set(i, writer.left.get(i) - 1);
  if (writer.left.get(i) > 0) return;
  writer.left.delete(i);
  pump(writer);
  moved();
}

function pump(writer) {
  while (isSending && writer.left.size < outstanding) {
    const i = writer.nSent++;

    writer.left.set(i, 1 + writer.nReaders);
    writer.sent.push(performance.now());
    writer.text.insert(0, pieceOf(i));
  }
}

async function openWriter(name, nReaders) {
  const doc = new Y.Doc();
  const writer = { name, nReaders, text: doc.getText('text'), left: new Map(), sent: [], nSent: 0, nAcknowledged: 0 };

  ({ socket: writer.socket } = await join(name, {
    onStatus() {
      const i = writer.nAcknowledged++;

      counts.acknowledged++;
      if (isMeasuring) times.acknowledged.push(performance.now() - writer.sent[i]);
      complete(writer, i);
    },
  }));
  doc.on('update', update => writer.socket.send(message(name, SYNC, UPDATE, update)));
  at.set(name, writer);
  return writer;
}

async function openReader(name, number) {
  let next = 0;

  await join(name, {
    onUpdate(data) {
      const writer = at.get(name);

      assert(data.includes(pieceOf(next)), `reader ${number} was not told operation ${next} next`);
      counts.told++;
      if (isMeasuring) times.told.push(performance.now() - writer.sent[next]);
      complete(writer, next++);
    },
  });
}

// ---- the run -----------------------------------------------------------------------------------------------------------

const wait = s => new Promise(resolve => setTimeout(resolve, 1000 * s));
const now = async () => ({ at: performance.now() / 1000, server: await cpuSeconds(pid), own: process.cpuUsage(), ...counts });

function summary(all) {
  const sorted = all.sort((a, b) => a - b);
  const share = part => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;

  return { n: sorted.length, mean: sorted.reduce((sum, time) => sum + time, 0) / (sorted.length || 1), p50: share(0.5), p99: share(0.99), max: share(1) };
}

async function check(writer) {
  const doc = new Y.Doc();
  const { state } = await join(writer.name);

  Y.applyUpdate(doc, state);
  assert.equal(doc.getText('text').toString(), Array.from({ length: writer.nSent }, (_, i) => pieceOf(writer.nSent - 1 - i)).join(''));
}

const isFanOut = mode === 'fan-out';
const writers = await Promise.all(Array.from({ length: isFanOut ? 1 : n }, (_, i) => openWriter(`${i}`, isFanOut ? n : 0)));

if (isFanOut) await Promise.all(Array.from({ length: n }, (_, i) => openReader('0', i)));
isSending = true;
writers.forEach(pump);
await wait(warm);
isMeasuring = true;
const from = await now();
await wait(seconds);
const to = await now();
isMeasuring = isSending = false;
const giveUp = setTimeout(() => assert.fail('not all that was sent has come back'), 1000 * patience);
while (writers.some(writer => writer.left.size)) await new Promise(resolve => (moved = resolve));
clearTimeout(giveUp);
await Promise.all(writers.map(check));

const took = to.at - from.at;
const own = (to.own.user + to.own.system - from.own.user - from.own.system) / 1e6;
const difference = Object.fromEntries(Object.keys(counts).map(key => [key, to[key] - from[key]]));
console.log(JSON.stringify({
  mode, n, seconds: took, per_second: difference[isFanOut ? 'told' : 'acknowledged'] / took, server_cpu_s: to.server - from.server,
  own_cpu_s: own, own_cpu_share: own / took, ...difference, acknowledged_ms: summary(times.acknowledged), told_ms: summary(times.told),
}));
process.exit(0);
