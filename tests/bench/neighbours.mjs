// The servers that are compared, each in a process of its own with an empty store; and what protocol_load must know of them.
//
//   const server = await start(servers.pilcrow, folder);    { port, pid, stop() }
//   servers.pilcrow.flags({ writers: 1, outstanding: 8 })   protocol_load's
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { pilcrowd, root } from '../lib/server.mjs';

const require = createRequire(new URL('../lib/', import.meta.url));
const version = name => require(`${name}/package.json`).version;
const echo = process.env.PILCROW_ECHO ?? join(root, 'build/tests/bench/echo');

// Who is the only writer of a document knows what his operations will lead to, and says so if the server takes them in order.
const foretelling = more => ({ writers }) => [...(writers === 1 ? ['--foretell'] : []), ...more];

export const servers = {
  pilcrow: {
    name: 'Pilcrow',
    what: 'Pilcrow: each operation is on the disk before it is acknowledged; no settings',
    command: folder => [pilcrowd, '--data', join(folder, 'data'), '--listen', '127.0.0.1:0', '--log-level', 'warning'],
    flags: foretelling([]),
    takesForetold: true,
  },
  sharedb: {
    name: 'ShareDB',
    what: `ShareDB ${version('sharedb')} in memory, on Node ${process.versions.node} with ws ${version('ws')}, NODE_ENV=production, without compression: it keeps nothing. ` +
      'Its operations are made for the version that was last acknowledged, since it takes none that foretell',
    command: () => [process.execPath, join(root, 'tests/lib/reference_server.mjs'), '--listen', '127.0.0.1:0'],
    flags: () => ['--lenient'],
    takesForetold: false,
  },
  echo: {
    name: 'echo',
    what: 'echo: a bare epoll program that acknowledges and forwards the same bytes without looking at them, in one call for all that came in one',
    command: () => [echo],
    flags: foretelling(['--bare']),
    takesForetold: true,
  },
  sync: {
    name: 'echo+sync',
    what: 'echo+sync: the same, which writes what came in a round and waits for `fdatasync` before it acknowledges',
    command: folder => [echo, '--sync', join(folder, 'log')],
    flags: foretelling(['--bare']),
    takesForetold: true,
  },
};

export async function start(server, within) {
  const folder = mkdtempSync(join(within, 'server-'));
  const [program, ...args] = server.command(folder);
  const child = spawn(program, args, { env: { ...process.env, NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let said = '';

  child.stdout.setEncoding('utf8');
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) if (/http:\S+\s/.test((said += text))) break;
  child.stdout.resume();
  if (!/http/.test(said)) throw new Error(`${server.name} does not start`);
  return {
    port: Number(said.match(/:(\d+)\/?\s/)[1]),
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
