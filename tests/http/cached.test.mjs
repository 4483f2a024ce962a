// Answers that are given again: never an older one than was acknowledged, in every form and coding.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Random, seedOf } from '../lib/random.mjs';
import { cpuSeconds, startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';
import { SNAPSHOT, ask, askAt, put, server } from './rest.mjs';
import { get as head, Line, waiting } from './told.mjs';

const GZIP = { 'accept-encoding': 'gzip' };
const MEDIA = ['text/plain', 'application/json', SNAPSHOT];
const LONG = 'words that are long enough to be worth it, '.repeat(100);

// The answer with its body decoded; as bytes on the line: raw.
function get(path, headers = {}, method = 'GET', port = server.port) {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers }, async answer => {
      const raw = Buffer.concat(await answer.toArray());
      const isGzip = answer.headers['content-encoding'] === 'gzip';

      resolve({
        status: answer.statusCode, headers: answer.headers, raw, isGzip,
        text: (isGzip && raw.length ? gunzipSync(raw) : raw).toString(),
        version: Number(answer.headers['pilcrow-version']),
      });
    });

    call.on('error', reject);
    call.end();
  });
}

// The text in any of the forms.
const textOf = (media, answer) => media === 'text/plain' ? answer.text
  : media === SNAPSHOT ? JSON.parse(answer.text).data : JSON.parse(answer.text);
const etagOf = async (path, headers) => (await get(path, headers)).headers.etag;

test('a read sees every acknowledged write before it, whoever wrote', async () => {
  const wire = await Wire.open(server);

  await wire.createText('cached', 'seen', LONG);
  for (let version = 1, text = LONG; version < 60; version++) {
    const more = `${version} `;
    if (version % 2)
      assert.equal((await put('/v1/docs/cached/seen', more + text, { 'if-match': '*' })).status, 200);
    else
      await wire.submit('cached', 'seen', { v: version, op: [more] });
    text = more + text;
    for (const media of MEDIA)
      for (const coding of [{}, GZIP]) {
        const answer = await get('/v1/docs/cached/seen', { accept: media, ...coding });
        assert.deepEqual([answer.version, textOf(media, answer)], [version + 1, text]);
      }
  }
  await wire.close();
});

test('forms and codings do not get mixed up', async () => {
  await put('/v1/docs/cached/forms', LONG);
  const etags = new Set();

  for (let round = 0; round < 3; round++)
    for (const media of MEDIA)
      for (const coding of [GZIP, {}]) {
        const answer = await get('/v1/docs/cached/forms', { accept: media, ...coding });
        assert.equal(answer.isGzip, coding === GZIP);
        assert.equal(answer.headers['content-type'].split(';')[0], media);
        assert.equal(answer.headers.etag.endsWith('-gzip"'), coding === GZIP);
        assert.equal(answer.headers.vary, 'Accept, Accept-Encoding');
        assert.equal(textOf(media, answer), LONG);
        etags.add(answer.headers.etag);
      }
  assert.equal(etags.size, 6);
  assert.equal((await get('/v1/docs/cached/forms', { accept: 'image/png' })).status, 406);
});

test('HEAD says what GET says, its length included, and sends nothing', async () => {
  for (const [id, text] of [['short', 'short'], ['long', LONG]]) {
    await put(`/v1/docs/cached/head-${id}`, text);
    for (const media of MEDIA)
      for (const coding of [{}, GZIP]) {
        const path = `/v1/docs/cached/head-${id}`;
        const headers = { accept: media, ...coding };
        const first = await get(path, headers, 'HEAD'); // of each: not asked for before, and again
        const full = await get(path, headers);
        const again = await get(path, headers, 'HEAD');
        for (const head of [first, again]) {
          assert.deepEqual({ ...head.headers, date: '', 'pilcrow-request-id': '' }, { ...full.headers, date: '', 'pilcrow-request-id': '' });
          assert.equal(head.raw.length, 0);
        }
        assert.equal(Number(full.headers['content-length']), full.raw.length);
      }
  }
});

test('deleted, made again, purged: what was before does not come back', async () => {
  const path = '/v1/docs/cached/again';

  for (const [text, query] of [['one', ''], ['two', '?purge=true'], ['three', '?purge=true'], ['four', '']]) {
    assert.equal((await put(path, text + LONG)).status, 201);
    const etag = await etagOf(path, GZIP);
    for (let i = 0; i < 2; i++) {
      assert.equal((await get(path)).text, text + LONG);
      assert.equal((await get(path, GZIP)).text, text + LONG);
    }
    assert.equal((await get(path, { ...GZIP, 'if-none-match': etag })).status, 304);
    assert.equal((await ask('DELETE', path + query)).status, 204);
    assert.equal((await get(path)).status, 404);
    assert.equal((await get(path, { ...GZIP, 'if-none-match': etag })).status, 404);
  }
  assert.equal((await ask('PUT', path, { body: '[1]', headers: { 'content-type': 'application/json' } })).status, 201);
  assert.deepEqual(JSON.parse((await get(path)).text), [1]);
});

test('a client that has one of the forms that it takes is told so', async () => {
  const path = '/v1/docs/cached/conditional';
  await put(path, LONG);
  const [plain, gzip, json] = [await etagOf(path), await etagOf(path, GZIP), await etagOf(path, { accept: 'application/json' })];
  const ask304 = async headers => {
    const answer = await get(path, headers);
    assert.equal(answer.raw.length === 0, answer.status === 304);
    return answer.status === 304 ? answer.headers.etag : answer.status;
  };

  assert.equal(gzip, plain.replace(/"$/, '-gzip"'));
  assert.equal(await ask304({ 'if-none-match': plain }), plain);
  assert.equal(await ask304({ 'if-none-match': gzip, ...GZIP }), gzip);
  assert.equal(await ask304({ 'if-none-match': plain, ...GZIP }), plain);
  assert.equal(await ask304({ 'if-none-match': `"x", W/${gzip}`, ...GZIP }), gzip);
  assert.equal(await ask304({ 'if-none-match': '*' }), plain);
  assert.equal(await ask304({ 'if-none-match': gzip }), 200, 'it could not read it');
  assert.equal(await ask304({ 'if-none-match': json }), 200);
  assert.equal(await ask304({ 'if-none-match': json, accept: 'application/json' }), json);

  assert.equal((await put(path, `${LONG}!`, { 'if-match': gzip })).status, 200);
  assert.equal(await ask304({ 'if-none-match': gzip, ...GZIP }), 200);
  assert.equal((await put(path, `${LONG}?`, { 'if-match': gzip })).status, 412);
});

test('a document is not loaded for who has it already', async t => {
  const own = await startServer(t);
  const ask = (path, headers) => get(path, headers, 'GET', own.port);
  const nOpen = async () => Number((await ask('/metrics')).text.match(/^pilcrow_documents_open (\d+)$/m)[1]);
  const paths = ['', '/longer', '-b'].map(end => `/v1/docs/head/a${end.replace('/', '%2F')}`);

  for (const path of paths)
    await fetch(own.url + path, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: LONG });
  await fetch(own.url + paths[2], { method: 'DELETE' });
  const etags = await Promise.all(paths.slice(0, 2).flatMap(path => [{}, GZIP].map(async coding => [path, (await ask(path, coding)).headers.etag, coding])));
  await own.stop();
  await own.restart();

  for (const [path, etag, coding] of etags) {
    const answer = await ask(path, { 'if-none-match': etag, ...coding });
    assert.deepEqual([answer.status, answer.headers.etag, answer.version, answer.raw.length], [304, etag, 1, 0]);
    assert.equal(answer.headers['cache-control'], 'no-cache');
  }
  assert.equal(await nOpen(), 0);
  for (const path of [...paths.slice(2), '/v1/docs/head/none', '/v1/docs/head/'])
    assert.equal((await ask(path, { 'if-none-match': etags[0][1] })).status, path.endsWith('head/') ? 200 : 404);
  assert.equal((await ask(paths[0], { 'if-none-match': '"other"' })).text, LONG);
  assert.notEqual(await nOpen(), 0);
});

test('gzip for those who want it, where it is worth it', async () => {
  await put('/v1/docs/cached/q', LONG);
  const isGzip = async (coding, id = 'q') => (await get(`/v1/docs/cached/${id}`, coding === undefined ? {} : { 'accept-encoding': coding })).isGzip;

  for (const coding of ['gzip', 'GZIP', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.8, *;q=0.1', '*', 'gzip;q=0.001', 'identity;q=0.5, gzip'])
    assert.equal(await isGzip(coding), true, coding);
  for (const coding of [undefined, '', 'identity', 'gzip;q=0', 'gzip; q=0.000', 'br', 'gzipped', '*;q=0', 'gzip;q=0, *', 'gzip;q=0.3, identity'])
    assert.equal(await isGzip(coding), false, coding);

  await put('/v1/docs/cached/small', 'x'.repeat(1000));
  assert.equal(await isGzip('gzip', 'small'), false);
  assert.equal(await isGzip('gzip', 'small'), false);
});

test('listings, operations and histories are given in gzip, too', async () => {
  for (let i = 0; i < 30; i++) await put(`/v1/docs/cached-list/document-${i}`, LONG);
  for (let i = 0; i < 30; i++) await put('/v1/docs/cached-list/document-0', `${i} ${LONG}`, { 'if-match': '*' });

  for (const path of ['/v1/docs/cached-list', '/v1/docs/cached-list/document-0/ops', '/metrics']) {
    const [plain, gzip, head] = [await get(path), await get(path, GZIP), await get(path, GZIP, 'HEAD')];
    assert.deepEqual([plain.isGzip, gzip.isGzip, head.isGzip], [false, true, true], path);
    assert.deepEqual([plain.headers.vary, gzip.headers.vary, head.headers.vary], Array(3).fill('Accept-Encoding'));
    if (path !== '/metrics') {
      assert.equal(gzip.text, plain.text);
      assert.equal(Number(head.headers['content-length']), gzip.raw.length);
    }
  }
  assert.equal((await get('/v1/docs/cached-list?limit=1', GZIP)).isGzip, false);
});

test('large bodies are compressed beside the loop, at once or at the next request', async () => {
  const path = '/v1/docs/cached/large';
  const text = LONG.repeat(500); // 2 MB
  await put(path, text);

  for (const answer of await Promise.all(Array.from({ length: 8 }, () => get(path, GZIP))))
    assert.equal(answer.text, text);
  const answer = await get(path, GZIP);
  assert(answer.isGzip && answer.raw.length < text.length / 10);
  assert.equal((await get(`${path}?version=1`, GZIP)).text, text);
});

test('random: what is given again is what the version holds, while others write', async t => {
  const random = new Random(seedOf(t));
  const nRounds = process.env.PILCROW_LONG ? 2000 : 150;
  const ids = ['r0', 'r1', 'r2'];
  const acknowledged = new Map();
  const wires = await Promise.all(ids.map(() => Wire.open(server)));
  const readings = [];
  let isOver = false;

  await Promise.all(ids.map((id, i) => wires[i].createText('random', id, LONG.slice(0, random.between(0, 4000)))));
  for (const id of ids) acknowledged.set(id, 1);

  // Over HTTP and WebSocket, in turns; one in thirty forgets the document and begins another.
  async function write(id, wire) {
    while (!isOver) {
      const path = `/v1/docs/random/${id}`;
      const kind = random.between(0, 30);
      if (kind === 0) {
        const answer = await ask('DELETE', random.next() < 0.9 ? path : `${path}?purge=true`);
        acknowledged.set(id, Number(answer.headers['pilcrow-version']));
        const created = await put(path, LONG.slice(0, random.between(0, 4000)));
        assert.equal(created.status, 201);
        acknowledged.set(id, Number(created.headers['pilcrow-version']));
      } else if (kind < 15) {
        const answer = await put(path, LONG.slice(0, random.between(0, 4000)), { 'if-match': '*' });
        assert.equal(answer.status, 200);
        acknowledged.set(id, Number(answer.headers['pilcrow-version']));
      } else {
        const { v } = await wire.submit('random', id, { v: acknowledged.get(id), op: [`${random.between(0, 1e9)} `] });
        acknowledged.set(id, v + 1);
      }
    }
  }

  async function read() {
    for (let i = 0; i < nRounds; i++) {
      const id = random.oneOf(ids);
      const media = random.oneOf(MEDIA);
      const atLeast = acknowledged.get(id);
      const last = readings.findLast(reading => reading.id === id && reading.media === media);
      const headers = { accept: media, ...(random.next() < 0.5 ? GZIP : {}), ...(last && random.next() < 0.3 ? { 'if-none-match': last.etag } : {}) };
      const answer = await get(`/v1/docs/random/${id}`, headers);

      assert([200, 304, 404].includes(answer.status));
      assert(answer.version >= atLeast, `version ${answer.version} after ${atLeast} was acknowledged`);
      if (answer.status === 304)
        assert.equal(answer.version, last.version);
      if (answer.status === 200)
        readings.push({ id, media, version: answer.version, etag: answer.headers.etag, text: textOf(media, answer) });
    }
  }

  const writing = ids.map((id, i) => write(id, wires[i]));
  await Promise.all(Array.from({ length: 4 }, read));
  isOver = true;
  await Promise.all(writing);

  let nCompared = 0;
  for (const { id, media, version, text } of readings) {
    const past = await get(`/v1/docs/random/${id}?version=${version}`, { accept: media });
    if (past.status === 410 || past.status === 404) continue; // purged since
    assert.equal(past.status, 200);
    assert.equal(textOf(media, past), text);
    nCompared++;
  }
  t.diagnostic(`${readings.length} readings, ${nCompared} compared`);
  assert(nCompared > 0);
  await Promise.all(wires.map(wire => wire.close()));
});

test('what the pages load has an ETag for each coding', async () => {
  const path = `/${(await get('/')).text.match(/assets\/start-[^"]+\.js/)[0]}`;
  const [plain, gzip] = [await get(path), await get(path, GZIP)];

  assert.deepEqual([plain.isGzip, gzip.isGzip, gzip.text === plain.text], [false, true, true]);
  assert.notEqual(plain.headers.etag, gzip.headers.etag);
  for (const [{ headers }, coding] of [[plain, {}], [gzip, GZIP]]) {
    assert.equal(headers.vary, 'accept-encoding');
    assert.equal((await get(path, { ...coding, 'if-none-match': headers.etag })).status, 304);
  }
  assert.equal((await get(path, { 'if-none-match': gzip.headers.etag })).status, 200);
});

test('who comes while a large body is compressed is given what was written already', async t => {
  const own = await startServer(t);
  const path = '/v1/docs/cached/awaited';
  const rows = Array.from({ length: 40_000 }, (_, i) => ({ row: i, says: `row number ${i}` }));
  const { headers } = await askAt(own, 'PUT', path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(rows) });
  let { etag } = headers;

  // What it costs the server to tell a hundred of a change.
  async function cost(encoding, i) {
    const lines = Array.from({ length: 100 }, () => new Line(own).send(head(`${path}?wait=100`, `Accept-Encoding: ${encoding}`, `If-None-Match: ${etag}`)));
    await waiting(own, 100);
    const before = await cpuSeconds(own.pid);
    const patch = { headers: { 'content-type': 'application/json-patch+json' }, body: `[{"op":"replace","path":"/${i}/row","value":-1}]` };
    ({ etag } = (await askAt(own, 'PATCH', path, patch)).headers);
    await Promise.all(lines.map(line => line.has(/^HTTP\/1\.1 200 /)));
    const seconds = await cpuSeconds(own.pid) - before;
    for (const line of lines) line.socket.destroy();
    return seconds;
  }

  const [plain, gzip] = [await cost('identity', 0), await cost('gzip', 1)];
  assert(gzip < 2 * plain + 0.3, `${gzip} s, and ${plain} s of it as it is`);
});
