// PostgreSQL in a folder, and ShareDB's store in it: for reference_server.mjs --db.
//
//   const db = await open(folder);      an empty cluster of its own, which ends with this process however that ends
//   await close();                      stops it
//
// It is as it comes, but for more shared_buffers, and asked over a Unix socket: each commit is on the disk (fsync and
// synchronous_commit are on). It does not run as root, so then it runs as `postgres`, whom the folders above must let through.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const PostgresDB = require('sharedb-postgres');
const versions = '/usr/lib/postgresql'; // Debian's
const newest = readdirSync(versions).sort((a, b) => b - a)[0];
const programs = join(versions, newest, 'bin');
const isRoot = process.getuid() === 0;
const asOwner = isRoot ? ['--reuid', 'postgres', '--regid', 'postgres', '--init-groups'] : [];
const settings = ['listen_addresses=', 'shared_buffers=256MB', 'fsync=on', 'synchronous_commit=on'];
let postgres, ended, sockets, db;

const mine = path => execFileSync('install', ['-d', '-m', '700', ...(isRoot ? ['-o', 'postgres'] : []), path]);

// Until it takes connections; all it says is about what went wrong.
async function start(data) {
  const all = [...settings, `unix_socket_directories=${sockets}`].flatMap(setting => ['-c', setting]);

  postgres = spawn('setpriv', [...asOwner, '--pdeathsig', 'INT', join(programs, 'postgres'), '-D', data, ...all], { stdio: ['ignore', 'inherit', 'pipe'] });
  ended = once(postgres, 'exit');
  let said = '';

  for await (const text of postgres.stderr.iterator({ destroyOnReturn: false })) if ((said += text).includes('ready to accept connections')) break;
  if (!said.includes('ready')) throw new Error(said);
  postgres.stderr.resume();
}

export async function open(folder) {
  const data = join(folder, 'postgres');

  if (isRoot) for (const path of [folder, dirname(folder)]) chmodSync(path, 0o711); // were made for one user
  mine(data);
  sockets = mkdtempSync(join(tmpdir(), 'pilcrow-bench-')); // a socket's path must be short
  process.on('exit', () => rmSync(sockets, { recursive: true, force: true }));
  mine(sockets);
  execFileSync('setpriv', [...asOwner, join(programs, 'initdb'), '-D', data, '-U', 'postgres', '--auth', 'trust', '--encoding', 'UTF8', '--no-sync'], { stdio: ['ignore', 'ignore', 'inherit'] });
  await start(data);
  db = new PostgresDB({ host: sockets, user: 'postgres', database: 'postgres' });

  await db._pool.query(readFileSync(require.resolve('sharedb-postgres/structure.sql'), 'utf8'));
  return db;
}

export async function close() {
  await db?.close();
  postgres?.kill('SIGTERM'); // not SIGINT: connections are let go, not cut
  await ended;
}
