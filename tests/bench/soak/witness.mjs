// Somebody who does nothing but write, in a process of his own: how long an acknowledgement takes. The process of the load
// remembers all that happens, and is late for itself now and then, the more the longer it runs; what its editors measure is
// partly that.
//
//   const witness = await startWitness(run);
//   await witness.take()       { acknowledged, synced: [ms] } of all since the last time: from when an operation was due to its
//                              acknowledgement; for a block of a file beside the store to be written and synced. What the
//                              disk of a shared machine takes comes and goes, and stands in both.
//   await witness.end()        how many operations it has been acknowledged in all
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { open, unlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Wire } from '../../lib/wire.mjs';

const BLOCK = Buffer.alloc(4096, 'x');
const SYNC_EVERY_MS = 200;
const EVERY_MS = 25; // by the clock: what is held up by the one before has waited, too

class Witness {
  constructor(run, child) {
    this.child = child;
    child.on('exit', code => code !== 0 && run.fault(`the witness has ended with ${code}`));
  }

  async ask(what) {
    const answered = once(this.child, 'message');

    this.child.send(what);
    return (await answered)[0];
  }

  take() {
    return this.ask('times');
  }

  async end() {
    const n = await this.ask('end');

    this.child.disconnect();
    return n;
  }
}

export async function startWitness(run) {
  const child = fork(fileURLToPath(import.meta.url), [run.server.url, `${run.server.data}.witness`]);
  const [ready] = await once(child, 'message');

  if (ready !== 'ready') throw new Error('the witness does not start');
  return new Witness(run, child);
}

// ---- in the other process ----------------------------------------------------------------------------------------------

async function sync(path, times, isOver) {
  const file = await open(path, 'w');

  await unlink(path);
  while (!isOver()) {
    const began = performance.now();

    await file.write(BLOCK, 0, BLOCK.length, 0);
    await file.datasync();
    times.push(performance.now() - began);
    await pause(SYNC_EVERY_MS);
  }
  await file.close();
}

// The document stays one character long.
async function write(url, path) {
  const wire = await Wire.open({ url });
  const [acknowledged, synced] = [[], []];
  let n = 0;
  let isOver = false;
  await wire.shake();
  await wire.createText('witness', 'it', 'x');
  n++;
  process.on('message', what => {
    if (what === 'times') process.send({ acknowledged: acknowledged.splice(0), synced: synced.splice(0) });
    else isOver = true;
  });
  const syncing = sync(path, synced, () => isOver);

  process.send('ready');
  for (let due = performance.now(); !isOver; due += EVERY_MS) {
    await pause(Math.max(0, due - performance.now()));
    await wire.submit('witness', 'it', { v: n++, op: ['x', { d: 1 }] });
    acknowledged.push(performance.now() - due);
  }
  await syncing;
  process.send(n, () => wire.close());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write(...process.argv.slice(2));
