// The pilcrow command and servers with principals: --token-file, and tokens that it makes.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { hash, principal, tokenFile } from '../lib/tokens.mjs';

const folder = temporaryDirectory({ after });
const tokens = tokenFile({ after }, principal('ink', 'write', 'secret-of-ink'), principal('paper', 'read', 'secret-of-paper'));
const server = await startServer({ after }, { args: tokens.args });
const where = ['--server', server.url];

function fileWith(name, text, mode = 0o600) {
  const path = join(folder, name);

  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const ink = ['--token-file', fileWith('ink', 'secret-of-ink\nthe second line is for people\n')];
const paper = ['--token-file', fileWith('paper', 'secret-of-paper\r\n')];

async function expect(args, { code = 0, stdout, stderr = code ? /^pilcrow: [^\n]+\n$/ : /^$/, input, env } = {}) {
  const result = await run(pilcrow, args, { input, env });

  assert.equal(result.code, code, `pilcrow ${args.join(' ')}: ${result.stderr}`);
  if (stdout !== undefined) assert.equal(result.stdout, stdout);
  assert.match(result.stderr, stderr);
  return result;
}

test('with the token of one who may write; with that of a reader, who may read', async () => {
  await expect([...where, ...ink, 'create', 'notes/a', '-'], { input: 'x' });
  await expect([...where, ...ink, 'cat', 'notes/a'], { stdout: 'x' });
  await expect([...where, ...paper, 'cat', 'notes/a'], { stdout: 'x' });
  await expect([...where, 'cat', 'notes/a'], { stdout: 'x', env: { PILCROW_TOKEN_FILE: paper[1] } });
});

test('not allowed: exit status 5, and a line that says why', async () => {
  for (const args of [['create', 'notes/b'], ['put', 'notes/a', '-'], ['rm', 'notes/a', '--yes']])
    await expect([...where, ...paper, ...args], { code: 5, stderr: /^pilcrow: .*'write'.* \(ERR_NOT_ALLOWED\)\n$/ });
  await expect([...where, ...ink, 'export'], { code: 5, stdout: '' });
  await expect([...where, 'cat', 'notes/a'], { code: 5, stderr: /^pilcrow: .*--token-file[^\n]*\n$/ });
  await expect([...where, '--token-file', fileWith('wrong', 'secret\n'), 'ls'], { code: 5, stderr: /^pilcrow: This token is not valid[^\n]*\n$/ });
});

test('a token file that holds none: 1, before anybody is asked', async () => {
  for (const text of ['', '\n', 'two words\n', 'a\tb', 'caf\u00e9', `${'x'.repeat(2000)} y\n`])
    await expect([...where, '--token-file', fileWith('none', text), 'ls'], { code: 1 });
  for (const path of [join(folder, 'nowhere'), folder])
    await expect([...where, '--token-file', path, 'ls'], { code: 1 });
});

test('a token that everybody can read is used, with a warning', async () => {
  const open = fileWith('open', 'secret-of-paper', 0o644);

  await expect([...where, '--token-file', open, 'cat', 'notes/a'], { stdout: 'x', stderr: /^pilcrow: warning: [^\n]+chmod o-r\n$/ });
});

test('on a store no token is wanted', async () => {
  const env = { PILCROW_TOKEN_FILE: join(folder, 'nowhere') };

  await expect(['--data', server.data, 'cat', 'notes/a'], { stdout: 'x', env });
});

test('token: the secret on standard output, the entry for the server on standard error', async t => {
  const one = await expect(['token', 'pen'], { stderr: /^\{.*\}\n$/ });
  const two = await expect(['token', 'nib', '--rights', 'read'], { stderr: /^\{.*\}\n$/ });
  const file = tokenFile(t, JSON.parse(one.stderr), JSON.parse(two.stderr));
  const own = await startServer(t, { args: file.args });
  const me = async secret => (await fetch(`${own.url}/v1/me`, { headers: { authorization: `Bearer ${secret.trim()}` } })).json();

  assert.match(one.stdout, /^[\w-]{44}\n$/);
  assert.deepEqual(JSON.parse(one.stderr), { name: 'pen', rights: ['read', 'write'], secrets: [hash(one.stdout.trim())] });
  assert.deepEqual(await me(one.stdout), { principal: 'pen', rights: ['read', 'write'] });
  assert.deepEqual(await me(two.stdout), { principal: 'nib', rights: ['read'] });
  await expect(['--server', own.url, '--token-file', fileWith('made', one.stdout), 'create', 'notes/made']);
});

test('token --json: both as one object', async () => {
  const { stdout } = await expect(['token', '\u{1F58B} ink', '--rights', 'write,admin', '--json']);
  const { secret, principal: entry } = JSON.parse(stdout);

  assert.deepEqual(entry, { name: '\u{1F58B} ink', rights: ['write', 'admin'], secrets: [hash(secret)] });
});

test('token for what can be no principal: 2', async () => {
  for (const args of [[], ['a', 'b'], [''], ['anyone'], ['__proto__'], ['x'.repeat(65)], ['a\nb'], ['a', '--rights', 'rule'], ['a', '--rights', ''], ['a', '--rights', 'read,,write']])
    await expect(['token', ...args], { code: 2, stdout: '' });
});
