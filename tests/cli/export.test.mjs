// Everything out as lines of JSON, and in again, byte for byte.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { bearer, principal, tokenFile } from '../lib/tokens.mjs';

const root = temporaryDirectory({ after });
const ADMIN = 'the-secret-of-ruler';
const READER = 'the-secret-of-paper';
const tokens = tokenFile({ after }, principal('ruler', 'admin', ADMIN), principal('paper', 'read', READER));
const server = await startServer({ after }, { args: tokens.args });
let number = 0;

const fresh = () => join(root, `d${++number}`);
const cli = (args, options) => run(pilcrow, args, options);
const tokenOf = secret => {
  const path = fresh();

  writeFileSync(path, `${secret}\n`, { mode: 0o600 });
  return path;
};
const online = ['--server', server.url, '--token-file', tokenOf(ADMIN)];

async function ask(method, path, body, type = 'application/json', at = server) {
  const answer = await fetch(at.url + path, { method, body, headers: { 'content-type': type, ...bearer(ADMIN) } });

  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer;
}

const put = (path, body, type) => ask('PUT', path, body, type);
const op = (path, v, edit) => ask('POST', `${path}/ops`, JSON.stringify({ v, op: edit }));

async function exported(where, ...args) {
  const { code, stdout, stderr } = await cli([...where, 'export', ...args]);

  assert.equal(code, 0, stderr);
  return stdout;
}

function fileOf(text) {
  const path = fresh();

  writeFileSync(path, text);
  return path;
}

async function imported(path, data, code = 0, ...args) {
  const result = await cli(['--data', data, '--json', 'import', path, ...args]);

  assert.equal(result.code, code, result.stderr);
  return { ...result, counts: JSON.parse(result.stdout || '{}') };
}

// Every type, deletes and creates anew, odd names, numbers and strings that a parser would write differently.
await put('/v1/docs/notes/text?type=text-unicode', 'line\n', 'text/plain');
for (let v = 1; v < 40; v++)
  await op('/v1/docs/notes/text', v, [v, `${v % 10}😀`.slice(0, 1)]);
await put('/v1/docs/notes/empty', '', 'text/plain');
await put('/v1/docs/notes/json0', '{"a":[1,2.5,1e21,"\\u0007\\\\ \\" é"],"":null}');
await op('/v1/docs/notes/json0', 1, [{ p: ['a', 0], na: 0.1 }]);
await put('/v1/docs/notes/json1?type=json1', '[1,{"k":[true]}]');
await op('/v1/docs/notes/json1', 1, [1, 'k', 0, { r: true, i: 'x' }]);
await put('/v1/docs/rich/a?type=rich-text', '[{"insert":"bold","attributes":{"b":1}},{"insert":{"image":"x"}}]');
await op('/v1/docs/rich/a', 1, [{ retain: 4, attributes: { b: null } }]);
await put('/v1/docs/notes/again', 'first', 'text/plain');
await ask('DELETE', '/v1/docs/notes/again');
await put('/v1/docs/notes/again', '{"second":2}');
await put('/v1/docs/notes/gone', 'gone', 'text/plain');
await ask('DELETE', '/v1/docs/notes/gone');
await put(`/v1/docs/${encodeURIComponent('a "b" \\ é')}/${encodeURIComponent('100%/.. 😀')}`, 'odd', 'text/plain');
await put('/v1/docs/only-deleted/x', 'x', 'text/plain');
await ask('DELETE', '/v1/docs/only-deleted/x');
await put('/v1/docs/large/a', 'wide é "\\'.repeat(200_000), 'text/plain');
await op('/v1/docs/large/a', 1, ['more '.repeat(300_000)]);

const whole = await exported(online);
const lines = whole.trimEnd().split('\n').map(line => JSON.parse(line));
const logs = lines.filter(line => line.collection);

test('an export has every log, deleted ones too, in order of names, and says how many', () => {
  const names = logs.map(({ collection, id }) => `${collection}/${id}`);

  assert.deepEqual(lines[0], { pilcrow: 'export', format: 1, history: true });
  assert.deepEqual(names, ['a "b" \\ é/100%/.. 😀', 'large/a', 'notes/again', 'notes/empty', 'notes/gone', 'notes/json0', 'notes/json1',
    'notes/text', 'only-deleted/x', 'rich/a']);
  assert.deepEqual(lines.at(-1), { pilcrow: 'end', logs: 10, records: lines.filter(line => 'v' in line).length, documents: 0 });
  assert.deepEqual(logs.filter(log => !log.exists).map(log => [log.id, log.type]), [['gone', null], ['x', null]]);
});

test('importing it and exporting again gives the same bytes, and the documents', async () => {
  const data = fresh();
  const { counts } = await imported(fileOf(whole), data);

  assert.deepEqual(counts, { imported: 10, continued: 0, same: 0, different: 0, refused: 0 });
  assert.equal(await exported(['--data', data]), whole);
  const check = await cli(['--data', data, 'check', '--json']);
  assert.equal(check.code, 0, check.stdout + check.stderr);
  const stat = JSON.parse((await cli(['--data', data, '--json', 'stat', 'notes/again'])).stdout);
  const original = JSON.parse((await cli([...online, '--json', 'stat', 'notes/again'])).stdout);
  assert.deepEqual(stat, original);
  assert.equal(await exported(['--data', data], '--no-history'), await exported(online, '--no-history'));
});

test('a server goes on where the imported history ends', async t => {
  const data = fresh();

  await imported(fileOf(whole), data);
  const other = await startServer(t, { data, args: tokens.args });
  await ask('POST', '/v1/docs/notes/text/ops', '{"v":40,"op":["new "]}', 'application/json', other);
  const ops = await (await ask('GET', '/v1/docs/notes/text/ops?from=39', undefined, 'application/json', other)).json();
  assert.deepEqual(ops.ops.map(({ v }) => v), [39, 40]);
  const held = await cli(['--data', data, 'import', fileOf(whole)]);
  assert.equal(held.code, 6, held.stderr);
});

test('one collection', async () => {
  const some = (await exported(online, 'notes')).trimEnd().split('\n').map(line => JSON.parse(line)).filter(line => line.collection);

  assert.deepEqual(some, logs.filter(log => log.collection === 'notes'));
});

test('what is there is skipped, its beginning continued, something else named', async () => {
  const data = fresh();
  const cut = whole.split('\n');
  const at = cut.findIndex(line => line.includes('"id":"text"'));
  const records = JSON.parse(cut.at(-2)).records;

  cut.splice(at + 11, 30); // of 40 records, 10 are left
  cut[at] = cut[at].replace('"version":40', '"version":10');
  cut[cut.length - 2] = cut.at(-2).replace(`"records":${records}`, `"records":${records - 30}`);
  await imported(fileOf(cut.join('\n')), data);
  assert.deepEqual((await imported(fileOf(whole), data, 0, '--dry-run')).counts, { imported: 0, continued: 1, same: 9, different: 0, refused: 0 });
  assert.deepEqual((await imported(fileOf(whole), data)).counts, { imported: 0, continued: 1, same: 9, different: 0, refused: 0 });
  assert.equal(await exported(['--data', data]), whole);
  assert.deepEqual((await imported(fileOf(cut.join('\n')), data)).counts, { imported: 0, continued: 0, same: 10, different: 0, refused: 0 });

  const { counts, stderr } = await imported(fileOf(whole.replace('"author":"ruler","op":[20', '"author":"other","op":[20')), data, 4);
  assert.deepEqual(counts, { imported: 0, continued: 0, same: 9, different: 1, refused: 0 });
  assert.match(stderr, /notes\/text: another history is there from version 20 on/);
  assert.equal(await exported(['--data', data]), whole);
});

test('a dry run makes no store', async () => {
  const data = fresh();

  assert.equal((await imported(fileOf(whole), data, 0, '--dry-run')).counts.imported, 10);
  assert.equal(existsSync(data), false);
});

test('an operation that does not apply is refused with its line; the others go on', async () => {
  const data = fresh();
  const bad = whole.split('\n');
  const at = bad.findIndex(line => line.includes('"op":[20'));

  bad[at] = bad[at].replace('"op":[20', '"op":[2000');
  const { counts, stderr } = await imported(fileOf(bad.join('\n')), data, 1);
  assert.deepEqual(counts, { imported: 9, continued: 0, same: 0, different: 0, refused: 1 });
  assert.match(stderr, new RegExp(`:${at + 1}: notes/text: .*; imported up to version 20`));
  assert.equal((await imported(fileOf(whole), data)).counts.continued, 1);
  assert.equal(await exported(['--data', data]), whole);
});

test('a file that was cut off is refused before anything is done; from a pipe, what there was is kept, and said', async () => {
  const data = fresh();
  const half = whole.slice(0, whole.length / 3);
  const { stderr } = await imported(fileOf(half), data, 1);

  assert.match(stderr, /Nothing was imported/);
  assert.equal(existsSync(data), false);
  const piped = await cli(['--data', data, 'import', '-'], { input: half });
  assert.equal(piped.code, 1);
  assert.match(piped.stderr, /the file is cut off here/);
  assert.equal((await imported(fileOf(whole), data)).counts.refused, 0);
  assert.equal(await exported(['--data', data]), whole);
});

test('a history that begins above zero, numbers of 64 bits, and operations that do nothing stay what they are', async () => {
  const data = fresh();
  const time = '2026-01-02T03:04:05.678Z';
  const text = [
    '{"pilcrow":"export","format":1,"history":true}',
    '{"collection":"c","id":"d","type":"text-unicode","exists":true,"first":70,"version":73}',
    `{"v":70,"src":"s","seq":1,"time":"${time}","author":"ink","create":{"type":"http://sharejs.org/types/text-unicode","data":"ab"}}`,
    `{"v":71,"src":"s","seq":18446744073709551615,"time":"${time}","author":"","op":[2,"c"]}`,
    `{"v":72,"src":"t","seq":3,"time":"${time}","author":"ink"}`,
    '{"pilcrow":"end","logs":1,"records":3,"documents":0}\n',
  ].join('\n');

  await imported(fileOf(text), data);
  assert.equal(await exported(['--data', data]), text);
});

test('no export, or one of a later format', async () => {
  for (const [text, why] of [['', /cut off/], ['hello\n', /is none/], [whole.replace('"format":1', '"format":2'), /format 2 is not known/]]) {
    const { stderr } = await imported(fileOf(text), fresh(), 1);

    assert.match(stderr, why);
  }
});

test('without history, into a store and into a server', async t => {
  const documents = await exported(online, '--no-history');
  const data = fresh();
  const other = await startServer(t);
  const n = documents.split('\n').length - 3;
  const contents = text => text.split('\n').slice(1, -2).map(line => JSON.parse(line)).map(({ collection, id, type, data: value }) => ({ collection, id, type, value }));

  assert.equal((await imported(fileOf(documents), data)).counts.imported, n);
  assert.deepEqual(contents(await exported(['--data', data], '--no-history')), contents(documents));
  for (const expected of [{ imported: n, continued: 0, same: 0, different: 0, refused: 0 }, { imported: 0, continued: 0, same: n, different: 0, refused: 0 }]) {
    const result = await cli(['--server', other.url, '--json', 'import', fileOf(documents)]);

    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(JSON.parse(result.stdout), expected);
  }
  assert.deepEqual(contents(await exported(['--server', other.url], '--no-history')), contents(documents));
  assert.equal((await imported(fileOf(documents), data)).counts.same, n);
  const changed = await cli(['--server', other.url, '--json', 'import', fileOf(documents.replace('"data":"odd"', '"data":"even"'))]);
  assert.equal(changed.code, 4);
  assert.match(changed.stderr, /another document is there/);
  const history = await cli(['--server', other.url, 'import', fileOf(whole)]);
  assert.equal(history.code, 2);
  assert.match(history.stderr, /--data DIR/);
});

test('every log is for administrators', async () => {
  const refused = await cli(['--server', server.url, '--token-file', tokenOf(READER), 'export']);
  const page = await (await ask('GET', '/v1/logs?limit=3&after_collection=notes&after=gone')).json();
  const next = (await ask('GET', '/v1/logs?limit=3')).headers.get('link');

  assert.equal(refused.code, 5);
  assert.deepEqual(page.logs.map(({ id }) => id), ['json0', 'json1', 'text']);
  assert.deepEqual(Object.keys(page.logs[0]), ['collection', 'id', 'type', 'exists', 'first', 'version', 'size', 'created', 'modified']);
  assert.match(next, /^<\/v1\/logs\?limit=3&after_collection=notes&after=again>; rel="next"$/);
  assert.equal((await fetch(`${server.url}/v1/docs/notes/text/ops?merged=perhaps`, { headers: bearer(ADMIN) })).status, 400);
});

test('people may write while it is exported', { timeout: 60_000 }, async () => {
  let stop = false;
  const writing = (async () => {
    for (let i = 0; !stop; i++)
      await put(`/v1/docs/busy/${i % 7}`, `${i}`, 'text/plain').catch(() => ask('DELETE', `/v1/docs/busy/${i % 7}`));
  })();

  for (let i = 0; i < 3; i++) {
    const text = await exported(online, 'busy');

    await imported(fileOf(text), fresh());
  }
  stop = true;
  await writing;
});

