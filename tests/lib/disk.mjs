// A server on a disk that the test controls, by tests/faults/disk_preload.c.
//
//   const server = await startOnDisk(t, { syncUs: 2000 });
//   server.disk.syncs()                        how many there were
//   server.disk.failWrites('ENOSPC'); server.disk.failSyncs('EIO'); server.disk.heal();
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root, run, startServer, temporaryDirectory } from './server.mjs';

const WRITES_FAIL = 24; // offsets in the file
const SYNCS_FAIL = 32;

export async function startOnDisk(t, { syncUs = 0, ...options } = {}) {
  const folder = temporaryDirectory(t);
  const library = join(folder, 'disk_preload.so');
  const file = join(folder, 'numbers');
  const source = join(root, 'tests/faults/disk_preload.c');
  const { code, stderr } = await run(process.env.CC || 'cc', ['-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', '-o', library, source]);
  assert.equal(code, 0, stderr);
  const server = await startServer(t, { ...options, env: { LD_PRELOAD: library, DISK_FILE: file, DISK_SYNC_US: String(syncUs) } });

  function set(offset, error) {
    const fd = openSync(file, 'r+');
    const number = Buffer.alloc(8);

    number.writeBigUInt64LE(BigInt(error ? constants.errno[error] : 0));
    writeSync(fd, number, 0, 8, offset);
    closeSync(fd);
  }

  server.disk = {
    syncs() {
      const numbers = readFileSync(file);
      return Number(numbers.readBigUInt64LE(0) + numbers.readBigUInt64LE(8) + numbers.readBigUInt64LE(16));
    },
    failWrites: error => set(WRITES_FAIL, error),
    failSyncs: error => set(SYNCS_FAIL, error),
    heal() {
      set(WRITES_FAIL, null);
      set(SYNCS_FAIL, null);
    },
  };
  return server;
}
