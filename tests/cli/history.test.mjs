// Who changed what, at a shell: log, diff, blame, restore, and cat at a version or a time; on a server and on a store.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, randomTextOp } from '../lib/client.mjs';
import { Random, seedOf } from '../lib/random.mjs';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const server = await startServer({ after });
const folder = temporaryDirectory({ after });
const http = ['--server', `http://127.0.0.1:${server.port}`];
const local = ['--data', join(folder, 'store')];

async function cli(where, args, { code = 0, input, env } = {}) {
  const result = await run(pilcrow, [...where, ...args], { input, env });

  assert.equal(result.code, code, `pilcrow ${args.join(' ')}: ${result.stderr}`);
  if (code) assert.match(result.stderr, /^pilcrow: [^\n]+\n$/);
  return result.stdout;
}

// What it prints on a terminal.
async function onTerminal(where, args, env = {}) {
  const { stdout } = await run('script', ['-qec', [pilcrow, ...where, ...args].map(word => `'${word}'`).join(' '), '/dev/null'], { env });
  return stdout.replace(/\r/g, '');
}

const put = (name, text, author) => fetch(`${server.url}/v1/docs/${name}`, {
  method: 'PUT', body: text, headers: { 'content-type': 'text/plain', 'pilcrow-author': encodeURIComponent(author), 'if-match': '*' } });
const create = (name, text, author) => fetch(`${server.url}/v1/docs/${name}`, {
  method: 'PUT', body: text, headers: { 'content-type': 'text/plain', 'pilcrow-author': encodeURIComponent(author) } });
const now = () => new Date().toISOString();
const pause = () => new Promise(resolve => setTimeout(resolve, 5));

for (const [title, where] of [['over HTTP', http], ['on a store', local]]) {
  test(`${title}: log, diff, cat and restore`, async () => {
    await cli(where, ['create', 'h/a', '-'], { input: 'one\ntwo\n' });
    await cli(where, ['put', 'h/a', '-'], { input: 'one\n2\n' });
    await pause();
    const before = now();
    await pause();
    await cli(where, ['put', 'h/a', '-'], { input: 'one\n2\nthree' });

    const lines = (await cli(where, ['log', 'h/a'])).trimEnd().split('\n').map(line => line.split('\t'));
    assert.deepEqual(lines.map(([from, to, , , author, ...rest]) => [from, to, author, ...rest]),
      [['1', '3', 'anyone', 'edit', '2', '6', '3'], ['0', '1', 'anyone', 'create', '1', '8', '0']]);
    for (const line of lines) assert.match(line[2], /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const json = (await cli(where, ['log', 'h/a', '--json', '--limit', '1'])).trimEnd().split('\n').map(line => JSON.parse(line));
    assert.deepEqual(Object.keys(json[0]), ['from', 'to', 'author', 'kind', 'first', 'last', 'operations', 'inserted', 'deleted']);
    assert.equal(json.length, 1);
    assert.equal((await cli(where, ['log', 'h/a', '--since', before, '--json'])).match(/"from":2,"to":3/g).length, 1);
    assert.equal((await cli(where, ['log', 'h/a', '--until', before])).split('\t', 2).join(), '1,2');
    assert.equal((await cli(where, ['log', 'h/a', '--pause', '0', '--from', '1', '--to', '3'])).trimEnd().split('\n').length, 2);
    assert.equal(await cli(where, ['log', 'h/a', '--until', 'yesterday']), '');

    assert.equal(await cli(where, ['diff', 'h/a', '1', '2']), '--- h/a@1\n+++ h/a@2\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n');
    assert.equal(await cli(where, ['diff', 'h/a', `@${before}`, 'now']),
      '--- h/a@2\n+++ h/a@3\n@@ -1,2 +1,3 @@\n one\n 2\n+three\n\\ No newline at end of file\n');
    assert.equal(await cli(where, ['diff', 'h/a', '1']), await cli(where, ['diff', 'h/a', '1', '3']));
    assert.deepEqual(JSON.parse(await cli(where, ['diff', 'h/a', '2', '2', '--json'])), { from: 2, to: 2, diff: '' });

    assert.equal(await cli(where, ['cat', `h/a@${before}`]), 'one\n2\n');
    assert.equal(await cli(where, ['cat', 'h/a@1']), 'one\ntwo\n');
    await cli(where, ['cat', 'h/a@2000-01-01T12:00'], { code: 3 });

    assert.match(await cli(where, ['restore', 'h/a', '1', '--dry-run']), /^--- h\/a@3\n\+\+\+ h\/a@1\n@@ .*\n one\n-2\n-three\n/);
    assert.equal(await cli(where, ['cat', 'h/a']), 'one\n2\nthree');
    assert.equal(await cli(where, ['restore', 'h/a', `@${before}`, '--json']), '{"version":4}\n');
    assert.equal(await cli(where, ['cat', 'h/a']), 'one\n2\n');
    assert.equal(await cli(where, ['restore', 'h/a', '2', '--json']), '{"version":4}\n'); // it is so already
    assert.match(await cli(where, ['log', 'h/a', '--limit', '1']), /^3\t4\t.*\trestore\t/);

    await cli(where, ['rm', 'h/a', '--yes']);
    await cli(where, ['restore', 'h/a', '3']);
    assert.equal(await cli(where, ['cat', 'h/a']), 'one\n2\nthree');
  });

  test(`${title}: blame`, async () => {
    await cli(where, ['create', 'b/a', '-'], { input: 'one\ntwo\nthree\n' });
    await cli(where, ['put', 'b/a', '-'], { input: 'one\n2\nthree\n' });
    await cli(where, ['put', 'b/a', '-'], { input: 'one\n2\nnew\nthree\n' });
    const versions = async word => (await cli(where, ['blame', word])).split('\n').map(line => line.split('\t')).map(([v, , , text]) => text === undefined ? v : `${v} ${text}`);

    assert.deepEqual(await versions('b/a'), ['1 one', '2 2', '3 new', '1 three', '']);
    assert.deepEqual(await versions('b/a@1'), ['1 one', '1 two', '1 three', '']);
    const [line] = (await cli(where, ['blame', 'b/a', '--json'])).split('\n').map(text => text && JSON.parse(text));
    assert.deepEqual([Object.keys(line), line.line, line.version, line.author, line.text], [['line', 'version', 'author', 'time', 'text'], 1, 1, 'anyone', 'one']);
    await cli(where, ['create', 'b/json', '--type', 'json0', '-'], { input: '{}' });
    await cli(where, ['blame', 'b/json'], { code: 1 });
    await cli(where, ['rm', 'b/json', '--yes']);
    await cli(where, ['create', 'b/json', '-'], { input: 'text\n' }); // in the place of another type
    assert.deepEqual(await versions('b/json'), ['3 text', '']);
    await cli(where, ['create', 'b/empty', '-'], { input: '' });
    assert.equal(await cli(where, ['blame', 'b/empty']), '');
  });

  test(`${title}: what there is not, and what is no time`, async () => {
    await cli(where, ['create', 'n/a', '-'], { input: 'x' });
    for (const args of [['log', 'n/none'], ['diff', 'n/a', '1', '9'], ['diff', 'n/none', '0', '1'], ['blame', 'n/none'], ['restore', 'n/a', '9'], ['restore', 'n/none', '1'], ['cat', 'n/a@9']])
      await cli(where, args, { code: 3 });
    for (const args of [['log'], ['log', 'n/a', '--since', 'soon'], ['log', 'n/a', '--limit', '0'], ['log', 'n/a', '--pause', 'x'], ['diff', 'n/a'], ['diff', 'n/a', '1', 'soon'], ['blame'], ['restore', 'n/a'], ['restore', 'n/a', '@soon'], ['cat', 'n/a', '--since', '2h']])
      await cli(where, args, { code: 2 });
  });
}

test('authors: who wrote which line, who wrote when', async () => {
  await create('who/a', 'one\ntwo\n', 'ink');
  await put('who/a', 'one\n2\n', 'paper');
  await put('who/a', 'one!\n2\n', 'Tinte 😀');
  assert.deepEqual((await cli(http, ['blame', 'who/a'])).trimEnd().split('\n').map(line => line.split('\t')[1]), ['Tinte 😀', 'paper']);
  assert.deepEqual((await cli(http, ['log', 'who/a'])).trimEnd().split('\n').map(line => line.split('\t')[4]), ['Tinte 😀', 'paper', 'ink']);
});

test('on a terminal: local times, a table, colours', async () => {
  await create('tty/a', 'one\n', 'ink');
  await put('tty/a', '1\n', 'paper');
  const env = { TZ: 'XST-5:30' };
  const local = new Date(Date.now() + 5.5 * 3600_000).toISOString().slice(0, 10);

  assert.match(await onTerminal(http, ['log', 'tty/a'], env), new RegExp(`^from to .*\n1 2 +${local} \\d\\d:\\d\\d +paper +\\+1 -3\n0 1 +${local} .* created, \\+4\n$`));
  assert.match(await onTerminal(http, ['diff', 'tty/a', '1', '2']), /\x1b\[31m-one\x1b\[m\n\x1b\[32m\+1\x1b\[m\n/);
  assert.match(await onTerminal(http, ['blame', 'tty/a'], env), new RegExp(` 2  paper +${local} \\d\\d:\\d\\d  1\n$`));
  assert.match(await onTerminal(http, ['restore', 'tty/a', '1']), /^tty\/a is as it was at version 1; this is version 3\. Back: pilcrow restore tty\/a 2\n$/);
  assert.equal(await onTerminal(http, ['restore', 'tty/a@1']), 'tty/a is so already\n');
});

test('on a terminal nothing that was written is a command to it; elsewhere every byte is what it was', async () => {
  const text = 'a\x1b]52;c;bWluZQ==\x07b\x9b31mc\rd\x7fe\tf\xa0é\n';
  const shown = 'a\ufffd]52;c;bWluZQ==\ufffdb\ufffd31mc\ufffdd\ufffde\tf\xa0é\n';
  const plain = output => {
    const rest = output.replace(/[^\n\x1b]*\x1b\[K|\x1b\[\d*m/g, ''); // how far it is, and colours

    assert.doesNotMatch(rest, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    return rest;
  };

  await create('tty/hostile', text, 'in\x9bk');
  await put('tty/hostile', `${text}!`, 'in\x9bk');
  const blamed = plain(await onTerminal(http, ['blame', 'tty/hostile']));
  assert(blamed.startsWith('      1  in\ufffdk          20') && blamed.includes(`  ${shown}`), blamed);
  assert(plain(await onTerminal(http, ['diff', 'tty/hostile', '0', '1'])).includes(`\n+${shown}`));
  assert(plain(await onTerminal(http, ['log', 'tty/hostile'])).includes(' in\ufffdk '));
  assert(plain(await onTerminal(http, ['watch', 'tty/hostile', '--from', '0', '--count', '1'])).includes('"a\\u001b]52;c;bWluZQ==\\u0007b\ufffd31mc\\rd\ufffde'));
  await cli(http, ['create', 'tty/json', '--type', 'json0', '-'], { input: '{}' });
  await cli(http, ['put', 'tty/json', '-'], { input: '{"\x9b":1}' });
  assert(plain(await onTerminal(http, ['diff', 'tty/json', '1', '2'])).includes('"\ufffd"'));

  assert.equal(await cli(http, ['cat', 'tty/hostile@1']), text);
  assert((await cli(http, ['diff', 'tty/hostile', '0', '1'])).includes(`\n+${text}`));
  const [, author, , ...line] = (await cli(http, ['blame', 'tty/hostile'])).split('\n')[0].split('\t');
  assert.deepEqual([author, `${line.join('\t')}\n`], ['in\x9bk', text]);

  await cli(http, ['rm', 'tty/hostile', '--yes', '--author', 'in\x9bk']);
  assert.match(plain(await onTerminal(http, ['cat', 'tty/hostile'])), /by in\ufffdk; pilcrow restore/);
});

test('an @ counts only before digits or a date', async () => {
  for (const id of ['me@home', 'x@2026', '2026-11-01@', 'a@2026-13-01'])
    await cli(http, ['create', `at/${id}`, '-'], { input: id });
  for (const id of ['me@home', '2026-11-01@', 'a@2026-13-01'])
    assert.equal(await cli(http, ['cat', `at/${id}`]), id);
  assert.equal(await cli(http, ['cat', 'at/me@home@1']), 'me@home');
  await cli(http, ['cat', 'at/x@2026'], { code: 3 });
});

test('blame: the lines are those of the text, and each one\'s version has it, whatever is typed', async t => {
  const random = new Random(seedOf(t));
  const client = new Client(server);
  const doc = await client.open('blame', 'random', 'We begin.\n');

  for (let i = 0; i < 150; i++)
    await new Promise((resolve, reject) => doc.submitOp(randomTextOp(random, doc.data), error => (error ? reject(error) : resolve())));
  client.close();
  const lines = (await cli(http, ['blame', 'blame/random', '--json'])).trimEnd().split('\n').map(line => JSON.parse(line));
  assert.equal(lines.map(({ text }) => text).join('\n'), doc.data.replace(/\n$/, ''));
  for (const { version, text } of lines) { // it is since then that no letter of it changed
    const { stdout } = await run(pilcrow, [...http, 'cat', `blame/random@${version}`]);
    if (text) assert(stdout.includes(text), `${version}: ${text}`);
  }
});

test('a log longer than a page', async () => {
  await create('long/a', '0', 'ink');
  for (let i = 1; i <= 230; i++) await put('long/a', `${i}`, i % 2 ? 'ink' : 'paper');
  const lines = (await cli(http, ['log', 'long/a'])).trimEnd().split('\n');
  assert.deepEqual(lines.map(line => Number(line.split('\t')[0])), Array.from({ length: 231 }, (_, i) => 230 - i));
  assert.equal((await cli(http, ['log', 'long/a', '--limit', '205'])).trimEnd().split('\n').length, 205);
});
