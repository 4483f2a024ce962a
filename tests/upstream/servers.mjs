// Fresh servers for a run of many tests: each with an empty store of its own, a few of them started ahead.
//
//   const servers = await startServers();
//   const server = servers.take();       { started: resolves to a server of ../lib/server.mjs, end() }
//   servers.setTime(ms)                  what time it is for all of them; null: the real time
//   await servers.end()
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, startServer } from '../lib/server.mjs';

const N_AHEAD = 3;

// In memory, where there is such a place: what is asked here has nothing to do with disks.
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

async function compileClock(folder) {
  const library = join(folder, 'clock_preload.so');
  const source = fileURLToPath(new URL('clock_preload.c', import.meta.url));
  const { code, stderr } = await run(process.env.CC || 'cc', ['-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', '-o', library, source]);

  if (code !== 0) throw new Error(stderr);
  return library;
}

export async function startServers() {
  const folder = mkdtempSync(join(place, 'pilcrow-upstream-'));
  const programs = mkdtempSync(join(tmpdir(), 'pilcrow-upstream-')); // a place in memory may be one for data only
  const library = await compileClock(programs);
  const clock = openSync(join(folder, 'clock'), 'w');
  const ready = [];
  const running = new Set();
  let nStarted = 0;

  const setTime = ms => {
    const number = Buffer.alloc(8);

    number.writeBigUInt64LE(BigInt(ms ?? 0));
    writeSync(clock, number, 0, 8, 0);
  };

  function start() {
    const data = join(folder, String(nStarted++));
    const started = startServer({ after() {} }, {
      data,
      env: { LD_PRELOAD: library, CLOCK_FILE: join(folder, 'clock') },
    });
    const server = {
      started,
      async end() {
        running.delete(server);
        await (await started).kill();
        rmSync(data, { recursive: true, force: true });
      },
    };

    started.catch(() => {}); // whoever takes it is told
    running.add(server);
    return server;
  }

  function take() {
    while (ready.length < N_AHEAD) ready.push(start());
    return ready.shift();
  }

  setTime(null);
  return {
    take,
    setTime,
    async end() {
      await Promise.all([...running].map(server => server.end()));
      closeSync(clock);
      for (const path of [folder, programs]) rmSync(path, { recursive: true, force: true });
    },
  };
}
