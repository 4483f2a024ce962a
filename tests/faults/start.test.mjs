// What keeps a server from starting is said in one clear line, with an exit status that is not 0.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pilcrow, pilcrowd, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

// One line on stderr that matches, nothing on stdout, a status that is not 0 and no signal.
async function assertRefuses(args, says, options) {
  const { code, signal, stdout, stderr } = await run(pilcrowd, args, { timeoutMs: 10_000, ...options });
  const lines = stderr.split('\n').filter(line => line !== '');

  assert.equal(signal, null, `ended by ${signal}: ${stderr}`);
  assert.notEqual(code, 0, `it started: ${stdout}`);
  assert.equal(stdout, '');
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0], says);
  return code;
}

test('a port in use', async t => {
  const data = join(temporaryDirectory(t), 'data');
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => listener.close());
  const { port } = listener.address();

  await assertRefuses(['--data', data, '--listen', `127.0.0.1:${port}`], new RegExp(`${port}.*(in use|busy|taken)`, 'i'));
});

test('in memory nothing is kept, and nothing is left behind', async t => {
  const server = await startServer(t, { args: ['--memory'] });
  const wire = await Wire.open(server);
  const descriptors = `/proc/${server.pid}/fd`;
  const file = readdirSync(descriptors).map(fd => readlinkSync(join(descriptors, fd))).find(path => path.endsWith('/data.mdb'));

  await wire.createText('notes', 'a', 'not for long');
  assert.equal(existsSync(server.data), false);
  assert(existsSync(file));
  await server.stop();
  assert.equal(existsSync(dirname(file)), false);
  await server.start();
  assert.equal((await fetch(`${server.url}/v1/docs/notes/a`)).status, 404);
});

test('a data directory that cannot be made', async t => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  await assertRefuses(['--data', join(file, 'data'), '--listen', '127.0.0.1:0'], /data/);
  await assertRefuses(['--data', file, '--listen', '127.0.0.1:0'], /file/);
});

test('a data directory that cannot be written', async t => {
  // Nobody writes into /proc, root neither; whoever is not root is tried with a directory of his own, too.
  await assertRefuses(['--data', '/proc/pilcrow', '--listen', '127.0.0.1:0'], /\/proc\/pilcrow/);
  if (process.getuid() !== 0) {
    const data = join(temporaryDirectory(t), 'data');
    mkdirSync(data);
    chmodSync(data, 0o500);
    await assertRefuses(['--data', data, '--listen', '127.0.0.1:0'], /data/);
  }
});

test('an unknown flag, a flag without its value, a surplus word', async () => {
  assert.equal(await assertRefuses(['--colour', 'blue'], /--colour/), 2);
  assert.equal(await assertRefuses(['--data'], /--data/), 2);
  assert.equal(await assertRefuses(['surplus'], /surplus/), 2);
});

test('addresses that are none', async t => {
  const data = join(temporaryDirectory(t), 'data');
  for (const listen of ['', 'nonsense', '127.0.0.1', '127.0.0.1:', '127.0.0.1:99999', '127.0.0.1:x', '300.0.0.1:80', ':::'])
    await assertRefuses(['--data', data, '--listen', listen], /listen|address|port/i);
});

test('the whole world without --open-to-everyone', async t => {
  const data = join(temporaryDirectory(t), 'data');
  await assertRefuses(['--data', data, '--listen', '0.0.0.0:0'], /--open-to-everyone/);
});

// Makes a good store with one document, ends its server, and returns the file that LMDB keeps it in.
async function store(t) {
  const server = await startServer(t);
  const wire = await Wire.open(server);

  await wire.createText('notes', 'kept', 'x');
  await wire.close();
  await server.stop();
  const name = readdirSync(server.data).find(file => /\.mdb$|^data/.test(file) && !/lock/.test(file));
  return { server, file: join(server.data, name) };
}

test('a store of another program, or none at all, is refused and left as it was', async t => {
  const { file } = await store(t);
  const name = file.split('/').pop();

  for (const content of ['This is no store.\n', '\u0000'.repeat(65536), 'x'.repeat(100_000)]) {
    const data = temporaryDirectory(t);
    writeFileSync(join(data, name), content);
    await assertRefuses(['--data', data, '--listen', '127.0.0.1:0'], /store|format/i);
    assert.equal(readFileSync(join(data, name), 'latin1'), content);
  }
});

test('a damaged first page is refused, never repaired silently', async t => {
  const { server, file } = await store(t);
  const good = readFileSync(file);
  const bad = Buffer.from(good);

  bad.fill(0xa5, 16, 8192); // both meta pages
  writeFileSync(file, bad);
  await assertRefuses(['--data', server.data, '--listen', '127.0.0.1:0'], /store|format|damaged/i);
  assert.deepEqual(readFileSync(file), bad);
  writeFileSync(file, good);
  await server.restart();
});

test('a data directory that another server holds', async t => {
  const server = await startServer(t);

  await assertRefuses(['--data', server.data, '--listen', '127.0.0.1:0'], /use|held|another|lock/i);
  const wire = await Wire.open(server);
  assert.equal((await wire.createText('notes', 'still', 'x')).v, 0);
});

test('a server that was stopped (SIGSTOP) holds its store all the same; others read, none writes', async t => {
  const { server } = await store(t);

  await server.restart();
  process.kill(server.pid, 'SIGSTOP');
  await assertRefuses(['--data', server.data, '--listen', '127.0.0.1:0'], /use|held|another|lock/i);
  const local = (...args) => run(pilcrow, ['--data', server.data, ...args], { timeoutMs: 10_000 });
  for (const args of [['put', 'notes/kept', '/dev/null'], ['rm', 'notes/kept', '--yes'], ['compact']]) {
    const { code, stderr } = await local(...args);
    assert.equal(code, 6, `${args[0]}: ${stderr}`);
  }
  assert.equal((await local('cat', 'notes/kept')).stdout, 'x');
  assert.equal((await local('check')).code, 0);
  process.kill(server.pid, 'SIGCONT');
  assert.equal(await (await fetch(`${server.url}/v1/docs/notes/kept`)).text(), 'x');
});

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let i = 0; i < 8; i++)
    byte = byte & 1 ? (byte >>> 1) ^ 0x82f63b78 : byte >>> 1;
  return byte;
});
const crc32c = bytes => ~bytes.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), ~0) >>> 0;

test('a store of a future format is refused, with what to do, by server and tool, and left as it was', async t => {
  const { server, file } = await store(t);
  const bytes = readFileSync(file);
  const magic = Buffer.from('pilcrow store\n\0\0');
  let n = 0;

  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1), n++) {
    bytes.writeUInt32LE(1000, at + magic.length); // and its seal, see docs/store-format.md
    bytes.writeUInt32LE(crc32c(Buffer.concat([Buffer.from('\0.format'), bytes.subarray(at, at + magic.length + 4)])), at - 4);
  }
  assert(n > 0);
  writeFileSync(file, bytes);
  const says = /format 1000.*(newer|later|update|version)/i;
  await assertRefuses(['--data', server.data, '--listen', '127.0.0.1:0'], says);
  for (const args of [['ls'], ['check'], ['check', '--salvage', '-'], ['rm', 'notes/kept', '--yes'], ['backup', join(temporaryDirectory(t), 'copy')]]) {
    const { code, stderr } = await run(pilcrow, ['--data', server.data, ...args]);
    assert.equal(code, 1, args[0]);
    assert.match(stderr, says, args[0]);
  }
  assert.deepEqual(readFileSync(file), bytes);
});

test('a missing data directory is made, and one line with the URL printed', async t => {
  const data = join(temporaryDirectory(t), 'a', 'data');
  mkdirSync(join(data, '..'));
  const server = await startServer(t, { data });

  assert(existsSync(data));
  assert.match(server.output, /^.*http:\/\/127\.0\.0\.1:\d+\S*\n$/);
  await server.stop();
});

test('--help and --version', async () => {
  const help = await run(pilcrowd, ['--help']);
  assert.equal(help.code, 0);
  for (const flag of ['--data', '--listen', '--allow-origin', '--open-to-everyone'])
    assert(help.stdout.includes(flag), flag);
  const version = await run(pilcrowd, ['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /\d+\.\d+\.\d+/);
});
