// Backups, and the recipes of docs/administration.md, run as they stand there.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random, seedOf } from '../lib/random.mjs';
import { pilcrow, pilcrowd, root, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';
import { Witness } from '../lib/witness.mjs';

const DOCUMENTS = ['red', 'green'];

// The command lines of a section: [{ where, line }], where: "" or the machine's name before the "$".
function recipe(section) {
  const text = readFileSync(join(root, 'docs/administration.md'), 'utf8').split(`\n## ${section}\n`)[1].split('\n## ')[0];

  return [...text.matchAll(/^ {4}(\w*)\$ (.*)$/gm)].map(([, where, line]) => ({ where, line }));
}

// Runs a line in a folder, as somebody would who has the two programs in his PATH.
async function type(t, folder, line, env) {
  const programs = temporaryDirectory(t);

  symlinkSync(pilcrow, join(programs, 'pilcrow'));
  symlinkSync(pilcrowd, join(programs, 'pilcrowd'));
  const result = await run('sh', ['-c', `cd "$FOLDER" && ${line}`],
    { env: { ...env, FOLDER: folder, PATH: `${programs}:${process.env.PATH}` }, timeoutMs: 60_000 });
  assert.equal(result.code, 0, `${line}: ${result.stderr}`);
  return result.stdout;
}

const backup = (server, ...args) => run(pilcrow, ['--server', server.url, 'backup', ...args]);

async function logsOf(server) {
  const wire = await Wire.open(server);
  const logs = new Map();

  for (const d of DOCUMENTS)
    logs.set(d, await wire.log('witness', d));
  await wire.close();
  return logs;
}

test('backups as in the documentation: what was acknowledged before one is in it, whole, and usable at once', async t => {
  const folder = temporaryDirectory(t);
  const server = await startServer(t, { data: join(folder, 'pilcrow-data') });
  const witness = new Witness(server, new Random(seedOf(t)), DOCUMENTS);
  const lines = recipe('Backups');
  const before = [];

  t.after(() => witness.abandon());
  writeFileSync(join(folder, 'admin.token'), 'nobody-asks-for-it-here\n', { mode: 0o600 });
  await witness.start();
  assert.deepEqual(lines.map(({ line }) => line.replace(/^pilcrow .*(backup|check).*$/, '$1')), ['backup', 'backup', 'check', 'backup']);
  for (const { line } of lines) {
    before.push(new Map([...witness.acknowledged].map(([d, tokens]) => [d, new Map(tokens)])));
    await type(t, folder, line, { PILCROW_SERVER: server.url });
  }
  await server.kill(); // the machine is gone
  await witness.abandon();

  for (const [i, name] of ['monday', 'tuesday'].entries()) {
    assert.deepEqual(readdirSync(join(folder, name)).filter(file => file.startsWith('new')), []);
    const again = await startServer(t, { data: join(folder, name) });
    const noShown = new Map(DOCUMENTS.map(d => [d, new Map()]));
    assert.deepEqual(witness.verify({ acknowledged: before[i], shown: noShown, faults: [] }, await logsOf(again)), []);
    const wire = await Wire.open(again);
    const { v } = (await wire.ask({ a: 'f', c: 'witness', d: 'red' })).data;
    assert.equal((await wire.submit('witness', 'red', { v, op: ['on'] })).v, v);
    await again.stop();
  }
});

test('moving to another machine as in the documentation: the same clients go on, and nothing is lost', async t => {
  const machines = { old: temporaryDirectory(t), new: temporaryDirectory(t) };
  const server = await startServer(t, { data: join(machines.old, 'pilcrow-data') });
  const witness = new Witness(server, new Random(seedOf(t)), DOCUMENTS);
  let moved;

  t.after(() => witness.abandon());
  writeFileSync(join(machines.old, 'pilcrowd.json'), '{"max-queue":"8M"}');
  writeFileSync(join(machines.old, 'tokens.json'), '{"principals":[]}');
  await witness.start();
  for (const { where, line } of recipe('Moving to another machine')) {
    const words = line.split(' ');

    if (line === 'kill -TERM $(pidof pilcrowd)') {
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    } else if (words[0] === 'scp') {
      for (const file of words.slice(2, -1))
        cpSync(join(machines.old, file), join(machines.new, file), { recursive: true });
    } else if (words[0] === 'pilcrowd') {
      assert.deepEqual([words[1], words[3]], ['--data', '--config']);
      moved = await startServer(t, { data: join(machines[where], words[2]), port: server.port, args: ['--config', join(machines[where], words[4])] });
    } else {
      await type(t, machines[where], line);
    }
  }
  witness.server = moved;
  const before = witness.nAcknowledged;
  while (witness.nAcknowledged < before + 20)
    await new Promise(resolve => setTimeout(resolve, 1));
  await witness.rest();
  await witness.check();
});

test('who changed what, as in the documentation', async t => {
  const folder = temporaryDirectory(t);
  const server = await startServer(t);
  const place = `${server.url}/v1/docs/minutes/2026-11-27`;
  const text = version => `Minutes\n${version < 31 ? 'a paragraph\n'.repeat(3) : ''}version ${version}\n`;

  for (let version = 1; version <= 40; version++) {
    const { status } = await fetch(place, { method: 'PUT', body: text(version),
      headers: { 'content-type': 'text/plain', 'if-match': '*', 'pilcrow-author': version > 31 ? 'paper' : 'ink' } })
      .then(async answer => answer.status === 412 ? fetch(place, { method: 'PUT', body: text(version), headers: { 'content-type': 'text/plain' } }) : answer);
    assert(status === 200 || status === 201, `${version}: ${status}`);
  }
  const printed = new Map();
  for (const { line } of recipe('Who changed what')) // a day that has not come yet will do for a time
    printed.set(line, await type(t, folder, line.replace('2026-12-24T18:00', '2100-01-01'), { PILCROW_SERVER: server.url }));
  assert.equal(printed.size, 9);
  assert.match(printed.get('pilcrow ls --find minutes'), /^minutes\/2026-11-27\ttext-unicode\t40\t/);
  assert.match(printed.get('pilcrow diff minutes/2026-11-27 31 40'), /^-version 31\n\+version 40$/m);
  assert.equal(printed.get('pilcrow cat minutes/2026-11-27@31'), text(31));
  assert.equal(await (await fetch(place)).text(), text(31));
});

test('what DEST may be', async t => {
  const folder = temporaryDirectory(t);
  const server = await startServer(t);
  const there = name => join(folder, name);

  mkdirSync(there('empty'));
  assert.equal((await backup(server, there('empty'))).code, 0);
  assert.equal((await backup(server, '--json', there('new'))).stdout.replace(/\d+/, 'N'), '{"bytes":N}\n');

  const copy = readFileSync(join(there('new'), 'data.mdb'));
  const again = await backup(server, there('new'));
  assert.equal(again.code, 4);
  assert.match(again.stderr, /holds a store already/);
  assert.deepEqual(readFileSync(join(there('new'), 'data.mdb')), copy);

  mkdirSync(there('other'));
  writeFileSync(join(there('other'), 'letter'), 'dear');
  assert.equal((await backup(server, there('other'))).code, 4);
  assert.equal((await backup(server, there('no/where'))).code, 1);
  assert.equal((await backup(server, join(there('other'), 'letter'))).code, 1);
  assert.equal((await backup(server)).code, 2);
});

test('standard output gets the same bytes', async t => {
  const folder = temporaryDirectory(t);
  const server = await startServer(t);

  await type(t, folder, 'mkdir piped && pilcrow backup - >piped/data.mdb && pilcrow --data piped ls', { PILCROW_SERVER: server.url });
});

// A server that says it all, or what it has, and then breaks off.
async function startImpostor(t, answer) {
  const server = createServer(socket => socket.on('error', () => {}).once('data', () => socket.end(answer)));

  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}` };
}

test('what breaks off, or is no store, leaves nothing', async t => {
  const dest = join(temporaryDirectory(t), 'copy');
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const cut = await backup(await startImpostor(t, `${head}10\r\nhalf of a piece`), dest);
  const lie = await backup(await startImpostor(t, `${head}5\r\nhello\r\n0\r\n\r\n`), dest);

  assert.equal(cut.code, 6);
  assert.match(cut.stderr, /broke off/);
  assert.equal(lie.code, 7);
  assert.equal(existsSync(dest), false);
});
