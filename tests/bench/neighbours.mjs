// The servers that are compared, each in a process of its own with an empty store, under protocol_load.
//
//   const flags = servers.pilcrow.flags({ writers: 1 });    what protocol_load must know of it; writers: of a document
//   await load(servers.pilcrow, folder, 'submit', 64, [...flags, '--outstanding', 8]);    what it measured
//   await starts(servers.postgres, folder)      false: what it needs is not here, and standard error says what
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { pilcrowd, root } from '../lib/server.mjs';

const version = (name, of = '../lib/') => JSON.parse(readFileSync(new URL(`${of}node_modules/${name}/package.json`, import.meta.url))).version;
const program = process.env.PILCROW_PROTOCOL_LOAD ?? join(root, 'build/tests/bench/protocol_load');
const reference = join(root, 'tests/lib/reference_server.mjs');
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
      'Its operations are made for the version that was last acknowledged, since it takes none that foretell. With 8 outstanding each is therefore transformed over up to seven ' +
      'others, which its own client never asks of it: that has one on its way, and composes the rest. And its memory store copies the whole text for each operation; the documents of submit, ' +
      'contend and fan-out begin empty and grow by 12 characters with each',
    command: () => [process.execPath, reference, '--listen', '127.0.0.1:0'],
    flags: () => ['--lenient'],
    takesForetold: false,
  },
  postgres: {
    name: 'ShareDB on PostgreSQL',
    get what() {
      return `ShareDB on PostgreSQL: the same ShareDB, with sharedb-postgres ${version('sharedb-postgres', 'postgres/')} on pg ${version('pg', 'postgres/')} and Debian's ` +
        `PostgreSQL ${readdirSync('/usr/lib/postgresql').sort((a, b) => b - a)[0]}, asked over a Unix socket: ` +
        '`fsync` and `synchronous_commit` on, `shared_buffers` of 256 MB, a pool of 10 connections; all else as it comes. Its CPU is of Node and of all processes of PostgreSQL. ' +
        'Documents begin with one character, since sharedb-postgres takes an empty text for none. Where it does not keep up with 100 operations a second, its times are ' +
        'bounded by how long it was measured';
    },
    command: folder => [process.execPath, reference, '--listen', '127.0.0.1:0', '--data', folder, '--db', join(root, 'tests/bench/postgres/db.mjs')],
    flags: () => ['--lenient', '--text', 1],
    takesForetold: false,
    isForSome: true,
    hasNoColumn: true,
  },
  hocuspocus: {
    name: 'Hocuspocus',
    what: `Hocuspocus ${version('@hocuspocus/server', 'hocuspocus/')} with Yjs ${version('yjs', 'hocuspocus/')}, in memory, without hooks, NODE_ENV=production; ` +
      'its protocol is another, so tests/bench/hocuspocus/load.mjs sends the same pieces of text, in JavaScript',
    command: () => [process.execPath, join(root, 'tests/bench/hocuspocus/server.mjs')],
    program: join(root, 'tests/bench/hocuspocus/load.mjs'),
    flags: () => [],
    takesForetold: true,
    isForSome: true, // works that name it
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
  each: {
    name: 'echo one by one',
    what: 'echo one by one: the same in memory, with a call for each operation and receiver; only beside fan-out',
    command: () => [echo, '--each'],
    flags: foretelling(['--bare']),
    takesForetold: true,
    isForSome: true,
    hasNoColumn: true,
  },
};

// It ends with this process, however that ends.
async function start(server, within) {
  const folder = mkdtempSync(join(within, 'server-'));
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...server.command(folder)], { env: { ...process.env, NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let said = '';

  child.stdout.setEncoding('utf8');
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) if (/http:\S+\s/.test((said += text))) break;
  child.stdout.resume();
  if (!/http/.test(said)) {
    await ended;
    throw new Error(`${server.name} does not start`);
  }
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

export async function starts(server, within) {
  try {
    const { stop } = await start(server, within);

    await stop();
    return true;
  } catch {
    return false;
  }
}

// A server of its own for each, so that its memory and its processor time are of this load.
export async function load(server, within, mode, n, args) {
  const { port, pid, stop } = await start(server, within);
  const all = [mode, n, port, pid, '--patience', 30, ...args].map(String);

  try {
    return JSON.parse((await promisify(execFile)(server.program ?? program, all)).stdout);
  } catch (error) {
    throw new Error(`${server.name}: protocol_load ${all.join(' ')}: ${error.stderr || error.message}`);
  } finally {
    await stop();
  }
}
