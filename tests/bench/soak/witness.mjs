// Somebody who does nothing but write, in a process of his own: how long an acknowledgement takes. The process of the load
// remembers all that happens, and is late for itself now and then, the more the longer it runs; what its editors measure is
// partly that.
//
//   const witness = await startWitness(run);
//   await witness.take()       [ms], from sending to the acknowledgement, of all since the last time
//   await witness.end()        how many operations it has been acknowledged in all
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Wire } from '../../lib/wire.mjs';

const EVERY_MS = 25;

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
  const child = fork(fileURLToPath(import.meta.url), [run.server.url]);
  const [ready] = await once(child, 'message');

  if (ready !== 'ready') throw new Error('the witness does not start');
  return new Witness(run, child);
}

// In the other process. The document stays one character long.
async function write(url) {
  const wire = await Wire.open({ url });
  let times = [];
  let n = 0;
  let isOver = false;
  const written = async fields => {
    const began = performance.now();

    await wire.submit('witness', 'it', fields);
    times.push(performance.now() - began);
    n++;
  };

  await wire.shake();
  await wire.createText('witness', 'it', 'x');
  n++;
  process.on('message', what => {
    if (what === 'times') process.send(times.splice(0));
    else isOver = true;
  });
  process.send('ready');
  for (let due = performance.now(); !isOver; due = Math.max(due + EVERY_MS, performance.now())) {
    await pause(due - performance.now());
    await written({ v: n, op: ['x', { d: 1 }] });
  }
  process.send(n, () => wire.close());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write(process.argv[2]);
