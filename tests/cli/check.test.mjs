// pilcrow check on the files of a store: what it finds, how it says it, what it saves; and a server on such files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, pilcrowd, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const folder = temporaryDirectory({ after });
const sound = join(folder, 'sound');
const text = (n, salt = '') => Array.from({ length: n / 64 }, (_, i) => createHash('sha256').update(`${salt}${i}`).digest('hex')).join('');

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

// Everything that an import brings: merged operations, many snapshots of each, all types. Above the first test (README.md).
const TYPES = {
  'text-unicode': { uri: 'http://sharejs.org/types/text-unicode', data: 'begin', op: (v, s) => [s] },
  json0: { uri: 'http://sharejs.org/types/JSONv0', data: { a: 1 }, op: (v, s) => [{ p: [`k${v}`], oi: s }] },
  json1: { uri: 'http://sharejs.org/types/JSONv1', data: { a: 1 }, op: (v, s) => [`k${v}`, { i: s }] },
  'rich-text': { uri: 'http://sharejs.org/types/rich-text/v1', data: { ops: [{ insert: 'b\n' }] }, op: (v, s) => ({ ops: [{ insert: s }] }) },
};

// Forty operations of 6 kB, none like another: a snapshot about every tenth, several segments however tight they are. Every
// seventh stands for six. The second log begins at 7.
function history() {
  const lines = [];
  let records = 0;

  for (const [type, { uri, data, op }] of Object.entries(TYPES)) {
    const first = type === 'json0' ? 7 : 0;
    const own = [];
    let v = first;
    const add = (what, merged = 0) => {
      own.push({ v, src: 'source', seq: v + merged + 1, time: new Date(1.7e12 + v * 60_000).toISOString(), author: 'ink', ...(merged && { merged }), ...what });
      v += 1 + merged;
    };

    add({ create: { type: uri, data } });
    for (let i = 0; i < 40; i++)
      add({ op: op(v, text(6400, `${v} `).slice(v)) }, i % 7 === 3 ? 5 : 0);
    records += own.length;
    lines.push({ collection: 'chains', id: type, type, exists: true, first, version: v }, ...own);
  }
  return [{ pilcrow: 'export', format: 1, history: true }, ...lines, { pilcrow: 'end', logs: 4, records, documents: 0 }].map(line => `${JSON.stringify(line)}\n`).join('');
}

const LOGS = { 'text-unicode': 1, json0: 3, json1: 4, 'rich-text': 5 }; // where the second began to be has a number, too
const chains = join(folder, 'chains');
const exported = async data => (await run(pilcrow, ['--data', data, 'export'])).stdout;
for (const [args, options] of [[['import', '-'], { input: history() }], [['compact']]]) {
  const { code, stderr } = await run(pilcrow, ['--data', chains, ...args], options);
  assert.equal(code, 0, stderr);
}

const check = (data, ...args) => run(pilcrow, ['--data', data, 'check', ...args]);

// A copy of the store whose data.mdb has been through `damage`.
function damaged(name, damage) {
  const data = join(folder, name);
  cpSync(sound, data, { recursive: true });
  writeFileSync(join(data, 'data.mdb'), damage(readFileSync(join(data, 'data.mdb'))));
  return data;
}

// Where the values are whose keys begin with a log's number, as LMDB's leaves have them: in the page, or in pages of
// their own. Also those that nothing leads to any more.
function* valuesOf(file, log, keyBytes) {
  const number = Buffer.alloc(8);

  number.writeBigUInt64BE(BigInt(log));
  for (let at = file.indexOf(number, 8192); at >= 0; at = file.indexOf(number, at + 1)) {
    const size = file.readUInt32LE(at - 8);
    const flags = file.readUInt16LE(at - 4);

    if (file.readUInt16LE(at - 2) === keyBytes && size > 100 && size < file.length && flags < 2)
      yield { version: Number(file.readBigUInt64BE(at + 8)), at: flags ? Number(file.readBigUInt64LE(at + keyBytes)) * 4096 + 16 : at + keyBytes, size };
  }
}

const inPiece = file => {
  for (const { at } of [...valuesOf(file, 21, 20)].filter(({ size, version }) => version === 1 && size > 50_000).slice(0, 1))
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
  assert.match(dying.output, /^pilcrowd: the store in \S+ seems to be damaged: .*, while reading notes\/big\. Run: pilcrow --data \S+ check$/m);
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

// ---- everything that an import brings ----

function damagedChains(name, damage) {
  const data = join(folder, name);
  cpSync(chains, data, { recursive: true });
  writeFileSync(join(data, 'data.mdb'), damage(readFileSync(join(data, 'data.mdb'))));
  return data;
}

test('merged operations and chains of snapshots, all types: sound, on files and over HTTP', async t => {
  assert.equal((await check(chains)).stdout, '4 documents, 284 operations, 0 damaged\nNothing is damaged.\n');
  const serving = await startServer(t, { data: damagedChains('serving', file => file) });
  await fetch(`${serving.url}/v1/docs/chains/json1`, { method: 'DELETE' });
  const { code, stdout } = await run(pilcrow, ['--server', serving.url, '--json', 'check']);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { documents: 4, operations: 165, damaged: 0, documents_damaged: [] });
});

test('a damaged snapshot is named, and each that refers to it; all operations are saved', async () => {
  const data = damagedChains('snapshot', file => {
    const [{ at }] = [...valuesOf(file, LOGS.json0, 20)].sort((a, b) => a.version - b.version);
    file[at + 60] ^= 1;
    return file;
  });
  const { code, stdout } = await check(data);
  assert.equal(code, 7);
  assert.match(stdout, /^chains\/json0, version \d+ \(snapshots\): its snapshot of version \d+: it can't be read$/m);
  assert.match(stdout, /: what it refers to can't be read$/m);
  assert.match(stdout, /All others are sound/);
  const { stdout: saved } = await check(data, '--salvage', '-');
  const again = join(folder, 'again');
  assert.equal((await run(pilcrow, ['--data', again, 'import', '-'], { input: saved })).code, 0);
  assert.equal((await check(again)).code, 0);
  assert.equal(await exported(again), await exported(chains));
});

for (const [type, log] of Object.entries(LOGS)) {
  test(`${type}: cut off where it can't be read, its newest snapshot beside it, and the store made of that is sound`, async () => {
    const data = damagedChains(`cut-${type}`, file => {
      const segments = [...valuesOf(file, log, 16)].sort((a, b) => a.version - b.version);
      const { at, size } = segments[1];
      file[at + (size >> 1)] ^= 1;
      return file;
    });
    const { stdout: saved, stderr } = await check(data, '--salvage', '-');
    assert.match(stderr, new RegExp(`^chains/${type}: records can't be read; saved up to version \\d+ of \\d+$`, 'm'));
    const again = join(folder, `again-${type}`);
    const { code, stderr: why } = await run(pilcrow, ['--data', again, 'import', '-'], { input: saved });
    assert.equal(code, 0, why);
    assert.equal((await check(again)).code, 0);
    const { id, version, data: content } = saved.trimEnd().split('\n').map(line => JSON.parse(line)).find(line => line.data !== undefined);
    assert.equal(id, `${type}.salvaged-${version}`);
    const past = await run(pilcrow, ['--data', chains, 'cat', `chains/${type}@${version}`]);
    const now = await run(pilcrow, ['--data', again, 'cat', `chains/${id}`]);
    assert.equal(now.stdout, past.stdout);
    assert.ok(content);
  });
}

test('a server that can not read a document: check over HTTP names it', async t => {
  const data = damagedChains('unread', file => {
    for (const { at, size } of [...valuesOf(file, LOGS.json0, 16), ...valuesOf(file, LOGS.json0, 20)])
      file[at + (size >> 1)] ^= 1;
    return file;
  });
  const serving = await startServer(t, { data });
  const { code, stdout, stderr } = await run(pilcrow, ['--server', serving.url, '--json', 'check']);
  assert.equal(code, 7);
  assert.match(stderr, /chains\/json0, version \d+ of \d+: the server can't read it/);
  assert.deepEqual(JSON.parse(stdout).documents_damaged, ['chains/json0']);
});

test('check works beside a running server', async t => {
  const live = await startServer(t);
  await fetch(`${live.url}/v1/docs/notes/a`, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } });
  assert.equal((await check(live.data)).stdout, '1 documents, 1 operations, 0 damaged\nNothing is damaged.\n');
});
