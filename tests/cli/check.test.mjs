// pilcrow check on the files of a store: what it finds, how it says it, what it saves; and a server on such files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, pilcrowd, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const folder = temporaryDirectory({ after });
const sound = join(folder, 'sound');
const text = n => Array.from({ length: n / 64 }, (_, i) => createHash('sha256').update(`${i}`).digest('hex')).join('');

// A store with every type, a deleted document, and one operation that is kept in pieces.
const server = await startServer({ after });
const put = (name, type, body, query = '', headers = {}) =>
  fetch(`${server.url}/v1/docs/${name}${query}`, { method: 'PUT', body, headers: { 'content-type': type, ...headers } });

for (let i = 0; i < 20; i++)
  await put(`notes/n${i}`, 'text/plain', `note ${i}`);
await put('notes/big', 'text/plain', 'small');
assert.equal((await put('notes/big', 'text/plain', text(600_000), '', { 'if-match': '*' })).status, 200);
await put('notes/big', 'text/plain', `${text(600_000)}!`, '', { 'if-match': '*' });
await put('sheets/j0', 'application/json', '{"a":[1,2]}');
await put('sheets/j1', 'application/json', '{"a":[1,2]}', '?type=json1');
await put('sheets/rich', 'application/vnd.quill.delta+json', '[{"insert":"rich\\n"}]', '?type=rich-text');
await fetch(`${server.url}/v1/docs/notes/n3`, { method: 'DELETE' });
await server.stop();
cpSync(server.data, sound, { recursive: true });

const check = (data, ...args) => run(pilcrow, ['--data', data, 'check', ...args]);

// A copy of the store whose data.mdb has been through `damage`.
function damaged(name, damage) {
  const data = join(folder, name);
  cpSync(sound, data, { recursive: true });
  writeFileSync(join(data, 'data.mdb'), damage(readFileSync(join(data, 'data.mdb'))));
  return data;
}

const inPiece = file => {
  const at = file.lastIndexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])); // a zstd frame: only pieces are packed here
  file[at + 2000] ^= 4;
  return file;
};

// The leaf that leads to the pieces of the large operation seems to be a branch with one child: LMDB gives up.
const asserting = file => {
  const node = Buffer.from([1, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, 1]); // of log 21, version 1
  for (let at = file.indexOf(node); at >= 0; at = file.indexOf(node, at + 1)) {
    const page = at - at % 4096;
    file.writeUInt16LE(1, page + 10);
    file.writeUInt16LE(18, page + 12);
  }
  return file;
};

test('a sound store: nothing is damaged, deleted documents are played, too', async () => {
  const { code, stdout } = await check(sound);
  assert.equal(code, 0, stdout);
  assert.equal(stdout, '24 documents, 27 operations, 0 damaged\nNothing is damaged.\n');
  const { stdout: json } = await check(sound, '--json');
  assert.deepEqual(JSON.parse(json), { documents: 24, operations: 27, damaged: 0, findings: 0, leftovers: 0, store: false, documents_damaged: [] });
});

test('one damaged document is named, and the others are said to be sound', async () => {
  const data = damaged('piece', inPiece);
  const { code, stdout } = await check(data);

  assert.equal(code, 7);
  assert.match(stdout, /^notes\/big, version \d+ \(large\): a large operation can't be read$/m);
  assert.match(stdout, /^notes\/big.*: its operations can't be read from version \d on$/m);
  assert.match(stdout, /All others are sound/);
  assert.match(stdout, /check --salvage/);
  const { stdout: json } = await check(data, '--json');
  assert.deepEqual(JSON.parse(json.trimEnd().split('\n').at(-1)).documents_damaged, ['notes/big']);
});

test('what is readable is saved, what is not is said, and the store is not written to', async () => {
  const data = damaged('save', inPiece);
  const before = readFileSync(join(data, 'data.mdb'));
  const { code, stdout, stderr } = await check(data, '--salvage', '-');
  const lines = stdout.trimEnd().split('\n').map(line => JSON.parse(line));

  assert.equal(code, 7);
  assert.match(stderr, /^notes\/big: a large operation can't be read; saved up to version \d of 3$/m);
  assert.deepEqual(lines[0], { pilcrow: 'export', format: 1, history: true });
  assert.equal(lines.at(-1).logs, 24);
  assert.equal(lines.filter(line => line.id === 'n3')[0].exists, false);
  for (let i = 0; i < 20; i++)
    assert.equal(lines.find((_, at) => lines[at - 1]?.id === `n${i}`).create.data, `note ${i}`);
  assert.deepEqual(readFileSync(join(data, 'data.mdb')), before);
});

test('salvage does not write over a file, and takes a store only', async () => {
  const out = join(folder, 'saved.ndjson');
  assert.equal((await check(sound, '--salvage', out)).code, 0);
  assert.equal((await check(sound, '--salvage', out)).code, 1);
  assert.equal((await run(pilcrow, ['check', '--salvage', out])).code, 2);
  assert.equal((await check(join(folder, 'nowhere'))).code, 1);
});

test('a file that kills LMDB is survived, and what it died of is said', async () => {
  const { code, stdout } = await check(damaged('asserting', asserting));
  assert.equal(code, 7);
  assert.match(stdout, /^notes\/big: reading it ended with SIGABRT: a page that it needs is damaged$/m);
  assert.match(stdout, /do not start a server on it/);
});

test('a server that dies of its store says so', async t => {
  const dying = await startServer(t, { data: damaged('dying', asserting), program: pilcrowd });
  await fetch(`${dying.url}/v1/docs/notes/big/ops?from=1`).catch(() => {});
  assert.equal((await dying.exited).signal, 'SIGABRT');
  assert.match(dying.output, /^pilcrowd: the store in \S+ is damaged: .* while reading notes\/big\. Run: pilcrow --data \S+ check$/m);
});

for (const [title, damage, why] of [
  ['is cut off', file => file.subarray(0, file.length - 40_000), /is cut off/],
  ['has a damaged first page', file => (file.fill(0, 0, 512), file), /first/],
]) {
  test(`a store that ${title}: found, saved as far as it goes, and refused by a server`, async () => {
    const data = damaged(`refused ${title}`.replaceAll(' ', '-'), damage);
    const { code, stdout } = await check(data);
    assert.equal(code, 7);
    assert.match(stdout, why);
    const { code: ended, stderr } = await run(pilcrowd, ['--data', data, '--listen', '127.0.0.1:0']);
    assert.equal(ended, 1);
    assert.match(stderr, why);
    assert.match(stderr, /restore it from a backup/);
    const { stdout: saved } = await check(data, '--salvage', '-');
    assert.match(saved, /"note 1"/);
  });
}

test('check works beside a running server', async t => {
  const live = await startServer(t);
  await fetch(`${live.url}/v1/docs/notes/a`, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } });
  assert.equal((await check(live.data)).stdout, '1 documents, 1 operations, 0 damaged\nNothing is damaged.\n');
});
