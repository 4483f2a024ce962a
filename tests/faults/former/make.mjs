// Made the stores beside it: a server of then (PILCROWD) writes one, and what it answers is written down.
//
//   PILCROWD=.../pilcrowd node tests/faults/former/make.mjs format-2
//
// Gives format-2.mdb.gz, its data.mdb packed, and format-2.json, answers by path; long ones as their SHA-256. format-1 was
// written by commit dfcad06, format-2 by commit 44623e8, the last ones of these formats.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startServer } from '../../lib/server.mjs';

const TEXT = 'text/plain';
const JSON_TYPE = 'application/json';
const folder = import.meta.dirname;
const name = process.argv[2];
const afterwards = [];
const server = await startServer({ after: call => afterwards.push(call) });

async function ask(method, path, body, type = JSON_TYPE) {
  const answer = await fetch(`${server.url}/v1/docs/${path}`, { method, body, headers: { 'content-type': type, 'pilcrow-author': 'ink' } });

  if (!answer.ok)
    throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

const put = (path, body, type) => ask('PUT', path, body, type);
const op = (path, v, edit) => ask('POST', `${path}/ops`, JSON.stringify({ v, op: edit, src: v % 3 ? 'pen' : 'brush', seq: v }));

await put('notes/text', 'line\n', TEXT);
for (let v = 1; v < 300; v++)
  await op('notes/text', v, [v, `${v % 10}`]);
await put('notes/json0', '{"a":[1,2.5,1e21],"é":null}');
for (let v = 1; v < 40; v++)
  await op('notes/json0', v, [{ p: ['a', 0], na: 0.1 }]);
await put('notes/json1?type=json1', '[1,{"k":[true]}]');
for (let v = 1; v < 20; v++)
  await op('notes/json1', v, [1, 'k', 0, { r: true, i: `${v}` }]);
await put('notes/rich?type=rich-text', '[{"insert":"bold","attributes":{"b":1}},{"insert":{"image":"x"}}]', JSON_TYPE);
for (let v = 1; v < 20; v++)
  await op('notes/rich', v, [{ retain: 1 }, { insert: '😀', attributes: { i: v } }]);
await put('notes/again', 'first', TEXT);
await ask('DELETE', 'notes/again');
await put('notes/again', '{"second":2}');
await put('notes/gone', 'gone', TEXT);
await ask('DELETE', 'notes/gone');
await put('large/a', 'wide é '.repeat(50_000), TEXT);
await op('large/a', 1, ['more '.repeat(100_000)]);
await op('large/a', 2, [3, 'small']);
await server.stop();
await server.restart(); // with snapshots, which are kept when it ends
await op('notes/text', 300, ['in the inbox ']);

const answers = {};
const told = body => (body.length < 2000 ? body : `sha256 ${createHash('sha256').update(body).digest('hex')}`);
for (const path of ['notes/text', 'notes/json0', 'notes/json1', 'notes/rich', 'notes/again', 'notes/gone', 'large/a'])
  for (const query of ['', '/ops', '?version=1', '?version=2', '?version=250']) {
    const answer = await fetch(`${server.url}/v1/docs/${path}${query}`);

    if (answer.ok)
      answers[path + query] = told(await answer.text());
  }
await server.kill();
writeFileSync(join(folder, `${name}.mdb.gz`), gzipSync(readFileSync(join(server.data, 'data.mdb')), { level: 9 }));
writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(answers, null, 2)}\n`);
for (const call of afterwards)
  await call();
