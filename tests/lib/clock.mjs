// A server whose time of day the test sets, by tests/faults/clock_preload.c.
//
//   const server = await startOnClock(t);
//   server.clock.add(-86400);      a day back, from the real time; { seconds } begins so
import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, startServer, temporaryDirectory } from './server.mjs';

export async function startOnClock(t, { seconds = 0, ...options } = {}) {
  const folder = temporaryDirectory(t);
  const library = join(folder, 'clock_preload.so');
  const file = join(folder, 'clock');
  const source = join(root, 'tests/faults/clock_preload.c');
  const { code, stderr } = await run(process.env.CC || 'cc', ['-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', '-o', library, source]);

  assert.equal(code, 0, stderr);
  function add(seconds) {
    const number = Buffer.alloc(8);

    number.writeBigInt64LE(BigInt(seconds));
    const fd = openSync(file, 'r+');
    writeSync(fd, number, 0, 8, 0);
    closeSync(fd);
  }

  writeFileSync(file, Buffer.alloc(8));
  add(seconds);
  const server = await startServer(t, { ...options, env: { ...options.env, LD_PRELOAD: library, CLOCK_FILE: file } });
  server.clock = { add };
  return server;
}
