// Stores of former formats, as programs of then wrote them (former/make.mjs): everything reads as it did, at once and when
// the store has been made one of today.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { pilcrow, root, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const file = name => join(root, 'tests/faults/former', name);
const told = body => (body.length < 2000 ? body : `sha256 ${createHash('sha256').update(body).digest('hex')}`);

// What its format record says.
function formatOf(data) {
  const bytes = readFileSync(join(data, 'data.mdb'));
  const magic = Buffer.from('pilcrow store\n\0\0');

  return bytes.readUInt32LE(bytes.indexOf(magic) + magic.length);
}

async function ok(data, ...args) {
  const { code, stdout, stderr } = await run(pilcrow, ['--data', data, ...args]);

  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

async function assertAnswers(server, answers) {
  for (const [path, body] of Object.entries(answers))
    assert.equal(told(await (await fetch(`${server.url}/v1/docs/${path}`)).text()), body, path);
}

for (const [i, name] of ['format-1', 'format-2'].entries())
  test(`a store of ${name}: reads the same, is checked, made anew, and written`, async t => {
    const data = join(temporaryDirectory(t), 'data');
    const answers = JSON.parse(readFileSync(file(`${name}.json`), 'utf8'));

    mkdirSync(data);
    writeFileSync(join(data, 'data.mdb'), gunzipSync(readFileSync(file(`${name}.mdb.gz`))));
    assert.equal(formatOf(data), 1 + i);
    await ok(data, 'check');
    const before = await ok(data, 'export');
    const server = await startServer(t, { data });
    await assertAnswers(server, answers);
    assert.equal((await fetch(`${server.url}/v1/compact`, { method: 'POST', body: '' })).status, 200);
    await assertAnswers(server, answers);
    await server.stop();
    assert.equal(formatOf(data), 3);
    await ok(data, 'check');
    assert.equal(await ok(data, 'export'), before);

    await server.restart();
    const written = await fetch(`${server.url}/v1/docs/notes/text/ops`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"v":5,"op":["late "],"src":"new","seq":1}' });
    assert.equal(written.status, 200);
    const { 'notes/text': text, 'notes/text/ops': _, ...others } = answers;
    assert.equal(await (await fetch(`${server.url}/v1/docs/notes/text`)).text(), `late ${text}`);
    await assertAnswers(server, others);
  });
