// The pilcrow command: every command over HTTP and on a store, with what it prints and how it ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const server = await startServer({ after });
const folder = temporaryDirectory({ after });
const http = ['--server', `http://127.0.0.1:${server.port}`];
const local = ['--data', join(folder, 'store')];

const cli = (where, args, options) => run(pilcrow, [...where, ...args], options);

// Runs it and expects this; stderr is one line when it fails.
async function expect(where, args, { code = 0, stdout, stderr, input, env } = {}) {
  const result = await cli(where, args, { input, env });

  assert.equal(result.code, code, `pilcrow ${args.join(' ')}: ${result.stderr}`);
  if (stdout instanceof RegExp) assert.match(result.stdout, stdout);
  else if (stdout !== undefined) assert.equal(result.stdout, stdout);
  if (code) assert.match(result.stderr, /^pilcrow: [^\n]+\n$/);
  if (stderr) assert.match(result.stderr, stderr);
  return result;
}

for (const [title, where] of [['over HTTP', http], ['on a store', local]]) {
  test(`${title}: create, cat, stat, ls, put, rm`, async () => {
    await expect(where, ['create', 'notes/a', '-'], { input: 'one\n' });
    await expect(where, ['create', 'notes/a', '-'], { input: 'two\n', code: 4 });
    await expect(where, ['cat', 'notes/a'], { stdout: 'one\n' });
    await expect(where, ['ls'], { stdout: 'notes\t1\n' });
    await expect(where, ['ls', 'notes'], { stdout: /^a\ttext-unicode\t1\t4\t20\d\d-\S+Z\n$/ });

    const stat = JSON.parse((await expect(where, ['stat', 'notes/a', '--json'])).stdout);
    assert.deepEqual(Object.keys(stat), ['collection', 'id', 'type', 'version', 'size', 'created', 'modified']);
    assert.deepEqual([stat.collection, stat.id, stat.type, stat.version, stat.size], ['notes', 'a', 'text-unicode', 1, 4]);

    writeFileSync(join(folder, 'new'), 'one\nand more\n');
    await expect(where, ['put', 'notes/a', join(folder, 'new')]);
    await expect(where, ['cat', 'notes/a'], { stdout: 'one\nand more\n' });
    await expect(where, ['cat', 'notes/a@1'], { stdout: 'one\n' });
    await expect(where, ['put', 'notes/b', '-'], { input: 'made by put' });
    await expect(where, ['cat', 'notes/b'], { stdout: 'made by put' });

    await expect(where, ['rm', 'notes/b'], { code: 2, stderr: /--yes/ });
    await expect(where, ['rm', 'notes/b', '--yes']);
    await expect(where, ['cat', 'notes/b'], { code: 3 });
    await expect(where, ['stat', 'notes/b'], { code: 3 });
    await expect(where, ['rm', 'notes/b', '--yes'], { code: 3 });
    await expect(where, ['cat', 'notes/b@1'], { stdout: 'made by put' });
  });

  test(`${title}: names with slashes, per cents, at signs and emoji`, async () => {
    for (const [word, id] of [['n/x/y', 'x/y'], ['n/100%25', '100%'], ['n/me@home', 'me@home'], ['n/%F0%9F%98%80', '😀'], ['n/a%20b', 'a b']]) {
      await expect(where, ['create', word, '-'], { input: id });
      await expect(where, ['cat', word], { stdout: id });
      assert.equal(JSON.parse((await expect(where, ['stat', word, '--json'])).stdout).id, id);
    }
    await expect(where, ['create', 'noslash'], { code: 2 });
    await expect(where, ['create', 'n/__proto__'], { code: 1, stderr: /Invalid id/ });
    await expect(where, ['cat', 'n/bad%zz'], { code: 2 });
  });

  test(`${title}: a stat of a name that begins like another`, async () => {
    await expect(where, ['create', 's/abc']);
    await expect(where, ['stat', 's/ab'], { code: 3 });
    await expect(where, ['create', 's/ab']);
    assert.equal(JSON.parse((await expect(where, ['stat', 's/ab', '--json'])).stdout).id, 'ab');
  });

  test(`${title}: a listing longer than a page, in order`, async () => {
    const ids = Array.from({ length: 1100 }, (_, i) => `d${String(i).padStart(5, '0')}`);

    if (where === http)
      for (let i = 0; i < ids.length; i += 50)
        await Promise.all(ids.slice(i, i + 50).map(id => fetch(`http://127.0.0.1:${server.port}/v1/docs/many/${id}`, {
          method: 'PUT', body: '', headers: { 'content-type': 'text/plain' } })));
    else return; // one process a document would take minutes, and the listing is the same code
    const { stdout } = await expect(where, ['ls', 'many', '--json']);
    assert.deepEqual(stdout.trim().split('\n').map(line => JSON.parse(line).id), ids);
  });

  test(`${title}: documents of every type`, async () => {
    const rows = [['json0', '{"a":[1,2]}'], ['json1', '{"a":[1,2]}'], ['rich-text', '{"ops":[{"insert":"x"}]}']];

    for (const [type, content] of rows) {
      await expect(where, ['create', `types/${type}`, '--type', type, '-'], { input: content });
      await expect(where, ['cat', `types/${type}`], { stdout: new RegExp(`^${content.replace(/[[\]{}]/g, '\\$&')}\n?$`) });
      await expect(where, ['create', `types/${type}-bad`, '--type', type, '-'], { input: type === 'rich-text' ? '[{"retain":1}]' : '{', code: 1 });
    }
  });

  test(`${title}: put replaces JSON and rich text by the smallest operation, and says no to what is none`, async () => {
    for (const [type, before, after, operation] of [
      ['json0', '{"a":1,"b":[1,2]}', '{"a":2,"b":[1,2]}', [{ p: ['a'], od: 1, oi: 2 }]],
      ['json1', '{"a":1,"b":[1,2]}', '{"a":2,"b":[1,2]}', ['a', { r: true, i: 2 }]],
      ['rich-text', '{"ops":[{"insert":"one\\n"}]}', '{"ops":[{"insert":"one two\\n"}]}', { ops: [{ retain: 3 }, { insert: ' two' }] }]]) {
      await expect(where, ['create', `put/${type}`, '--type', type, '-'], { input: before });
      await expect(where, ['put', `put/${type}`, '-', '--author', 'Ö ink'], { input: after });
      await expect(where, ['cat', `put/${type}`], { stdout: after });
      assert.deepEqual(JSON.parse((await expect(where, ['diff', `put/${type}`, '1', '2'])).stdout).op, operation);
      await expect(where, ['log', `put/${type}`, '--limit', '1'], { stdout: /^1\t2\t.*\tÖ ink\tedit\t/ });
      await expect(where, ['put', `put/${type}`, '-', '--json'], { input: after, stdout: '{"version":2}\n' });
      await expect(where, ['put', `put/${type}`, '-'], { input: 'none', code: 1, stderr: /^pilcrow: put\// });
    }
    await expect(where, ['create', 'put/base', '-'], { input: 'one two' });
    await expect(where, ['put', 'put/base', '-'], { input: 'one two three' });
    await expect(where, ['put', 'put/base', '-', '--base', '1'], { input: 'ONE two' });
    await expect(where, ['cat', 'put/base'], { stdout: 'ONE two three' });
    await expect(where, ['put', 'put/base', '-', '--base', '1', '--json'], { input: 'ONE two', stdout: '{"version":3}\n' });
    await expect(where, ['cat', 'put/base'], { stdout: 'ONE two three' });
    await expect(where, ['put', 'put/base', '-', '--base', '9'], { input: 'x', code: 3 });
    await expect(where, ['put', 'put/base', '-', '--base', '1x'], { input: 'x', code: 2 });
    await expect(where, ['put', 'put/none', '-', '--base', '1'], { input: 'x', code: 3 });
    await expect(where, ['create', 'put/json1', '--type', 'json1', '-'], { input: '{}', code: 4 });
    await expect(where, ['put', 'put/json1', '-', '--base', '1'], { input: '{"a":3,"b":[1,2]}', code: 4 });
  });

  test(`${title}: ls finds what is half remembered, what is new, and what was deleted`, async () => {
    for (const name of ['find/Minutes of June', 'find/letter', 'found/minutes', 'found/gone-minutes'])
      await expect(where, ['create', name]);
    await expect(where, ['rm', 'found/gone-minutes', '--yes']);
    const names = async (...args) => (await expect(where, ['ls', ...args])).stdout.split('\n').slice(0, -1).map(line => line.split('\t')[0]);

    assert.deepEqual(await names('--find', 'MINUTES'), ['find/Minutes%20of%20June', 'found/minutes']);
    assert.deepEqual(await names('--find', 'Found/m'), ['found/minutes']);
    assert.deepEqual(await names('find', '--find', 'minutes'), ['Minutes of June']);
    assert.deepEqual(await names('--prefix', 'min'), ['found/minutes']);
    assert.deepEqual(await names('found', '--since', '2h'), ['minutes']);
    assert.deepEqual(await names('found', '--since', '2100-01-01'), []);
    assert.deepEqual(await names('--deleted', '--find', 'minutes'), ['found/gone-minutes']);
    assert.deepEqual(await names('find', '--deleted'), []);
    const [line] = (await expect(where, ['ls', '--deleted', '--json', '--find', 'gone'])).stdout.trim().split('\n');
    assert.deepEqual(Object.keys(JSON.parse(line)), ['collection', 'id', 'type', 'version', 'size', 'created', 'modified']);
    await expect(where, ['ls', '--since', 'soon'], { code: 2 });
  });

  test(`${title}: what is not there says whether it was deleted, forgotten, or never there`, async () => {
    await expect(where, ['create', 'lost/a b', '-', '--author', 'ink'], { input: 'text' });
    await expect(where, ['create', 'lost/a b'], { code: 4, stderr: /lost\/a%20b exists already; pilcrow put/ });
    await expect(where, ['rm', 'lost/a b', '--yes', '--author', 'paper']);
    for (const command of ['cat', 'stat', 'blame'])
      await expect(where, [command, 'lost/a b'], { code: 3, stderr: /lost\/a%20b was deleted on 20.* by paper; pilcrow restore lost\/a%20b 1 / });
    await expect(where, ['restore', 'lost/a%20b', '1']);
    await expect(where, ['cat', 'lost/a b'], { stdout: 'text' });
    await expect(where, ['rm', 'lost/a b', '--purge', '--yes']);
    for (const command of ['cat', 'stat', 'log'])
      await expect(where, [command, 'lost/a b'], { code: 3, stderr: /lost\/a%20b was forgotten for good/ });
    await expect(where, ['cat', 'lost/never'], { code: 3, stderr: /there is no document lost\/never$/m });
    await expect(where, ['cat', 'lost/never@yesterday'], { code: 3, stderr: /@ counts as a version when it is a number, or a date/ });
  });

  test(`${title}: check finds everything in order`, async () => {
    const { stdout } = await expect(where, ['check', '--json']);
    const found = JSON.parse(stdout);
    assert(found.documents >= 8 && found.operations > found.documents, stdout);
    assert.equal(found.damaged, 0);
  });
}

test('bytes survive: no newline added, none taken, any text', async () => {
  for (const text of ['', 'no newline', '\n\n', 'a\r\nb\0c', 'e\u0301 \u{1F468}\u200D\u{1F469} שלום\n']) {
    const name = `bytes/${Buffer.from(text).toString('hex') || 'empty'}`;
    await expect(http, ['create', name, '-'], { input: text });
    await expect(http, ['cat', name], { stdout: text });
  }
  await expect(http, ['create', 'bytes/latin1', '-'], { input: Buffer.from([0x66, 0xfc, 0x72]), code: 1 });
});

test('beside a running server a store can be read, not written', async () => {
  const beside = ['--data', server.data];

  await expect(http, ['create', 'beside/a', '-'], { input: 'fresh' });
  await expect(beside, ['cat', 'beside/a'], { stdout: 'fresh' });
  await expect(beside, ['ls', 'beside'], { stdout: /^a\t/ });
  await expect(beside, ['check'], { stdout: /, 0 damaged\n/ });
  await expect(beside, ['create', 'beside/b'], { code: 6 });
  await expect(beside, ['rm', 'beside/a', '--yes'], { code: 6 });
  await expect(http, ['cat', 'beside/a'], { stdout: 'fresh' });
});

test('a store that is not there, and a server that is not there', async () => {
  await expect(['--data', join(folder, 'nowhere')], ['ls'], { code: 3, stderr: /there is no store in/ });
  await expect(['--server', 'http://127.0.0.1:1'], ['ls'], { code: 6 });
});

test('the environment names the server', async () => {
  const { stdout } = await cli([], ['ls'], { env: { PILCROW_SERVER: http[1] } });
  assert.match(stdout, /^beside\t1\n/);
});

test('put keeps what others write meanwhile', async () => {
  await expect(http, ['create', 'race/a', '-'], { input: 'base' });
  await Promise.all(['x', 'y', 'z'].map(text => expect(http, ['put', 'race/a', '-', '--base', '1'], { input: `base${text}` })));
  const { stdout } = await cli(http, ['cat', 'race/a']);
  assert.deepEqual([stdout.length, ...[...stdout.slice(4)].sort()], [7, 'x', 'y', 'z']);
});

// Hands everything on to the server, and the answers back; that to the first PUT goes to `lose`.
async function unreliable(t, lose) {
  let nPuts = 0;
  const proxy = createServer((from, to) => {
    const { method, url: path, headers } = from;

    from.pipe(request({ port: server.port, host: '127.0.0.1', method, path, headers }, answer => {
      if (method === 'PUT' && ++nPuts === 1) {
        answer.on('end', () => lose(to.socket)).resume();
      } else {
        to.writeHead(answer.statusCode, answer.headers);
        answer.pipe(to);
      }
    }));
  });

  await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  return ['--server', `http://127.0.0.1:${proxy.address().port}`];
}

for (const [title, lose, codes] of [
  ['breaks off', socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'), [6]],
  ['does not come', socket => socket.destroy(), [0, 6]]]) // libcurl tries again by itself
  test(`an answer to put --base that ${title}: the same again is not done twice`, async t => {
    const name = `again/${title.replaceAll(' ', '-')}`;
    const args = ['put', name, '-', '--base', '1', '--json'];
    const input = 'one\ntwo\n';

    await expect(http, ['create', name, '-'], { input: 'one\n' });
    const { code } = await cli(await unreliable(t, lose), args, { input });
    assert(codes.includes(code), `${code}`);
    await expect(http, args, { input, stdout: '{"version":2}\n' });
    await expect(http, ['cat', name], { stdout: input });
    await expect(http, ['put', name, '-'], { input: `zero\n${input}` });
    await expect(http, args, { input, stdout: '{"version":2}\n' });
    await expect(http, args, { input: 'one!\n', stdout: '{"version":4}\n' });
    await expect(http, ['cat', name], { stdout: 'zero\none!\ntwo\n' });
    await expect(http, ['rm', name, '--yes']);
    await expect(http, args, { input, code: 4, stderr: /ERR_DOC_WAS_DELETED/ });
  });

test('usage errors end with 2 and one line', async () => {
  for (const args of [['nonsense'], ['ls', 'a', 'b'], ['cat'], ['create'], ['put', 'a/b'], ['ot'], ['check', 'x'], ['--bogus'], ['ls', '--server']])
    await expect([], args, { code: 2 });
  await expect([], ['chekc'], { code: 2, stderr: /did you mean check\?/ });
});

test('help for all and for each', async () => {
  const { stdout } = await expect([], ['help']);
  for (const command of ['ls', 'stat', 'cat', 'create', 'put', 'edit', 'rm', 'log', 'diff', 'blame', 'restore', 'watch', 'check', 'ot', 'version', 'help']) {
    assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    await expect([], ['help', command], { stdout: new RegExp(`^pilcrow ${command}[ \n]`) });
    await expect([], [command, '--help'], { stdout: new RegExp(`^pilcrow ${command}[ \n]`) });
  }
  await expect([], ['version'], { stdout: /^pilcrow \d+\.\d+\.\d+\n$/ });
  await expect([], ['--version'], { stdout: /^pilcrow \d+\.\d+\.\d+\n$/ });
});

test('a slip in an option is understood, and a missing value named', async () => {
  for (const [args, stderr] of [
    [['ls', '--prefixx', 'a'], /there is no option --prefixx; did you mean --prefix\?/],
    [['ls', '--nothing-like-it'], /there is no option --nothing-like-it; see pilcrow help/],
    [['ls', '-x'], /there is no option -x; see pilcrow help/],
    [['ls', '--prefix'], /--prefix wants a value: PREFIX/],
    [['ls', '--json=yes'], /--json takes no value/],
    [['put', 'a/b'], /usage: pilcrow put DOC FILE\|- \[--base VERSION\]; see pilcrow help put/],
    [['--author', 'a'.repeat(600), 'ls'], /--author is too long/]])
    await expect(http, args, { code: 2, stderr });
});

test('the calculator, by hand and by line', async () => {
  await expect([], ['ot', 'text-unicode', 'transform', '[1,"a"]', '[1,"b"]', 'left'], { stdout: '[1,"a"]\n' });
  await expect([], ['ot', 'text-unicode', 'transform', '[1,"a"]', '[1,"b"]', 'right'], { stdout: '[2,"a"]\n' });
  await expect([], ['ot', 'rich-text', 'transformPresence', '{"index":1,"length":0}', '[{"insert":"x"}]', 'true'], { stdout: '{"index":2,"length":0}\n' });
  await expect([], ['ot', 'json0', 'apply', '{"n":1}', '[{"p":["n"],"na":2}]'], { stdout: '{"n":3}\n' });
  await expect([], ['ot', 'json1', 'transform', '["a",{"r":true}]', '["a","b",{"ena":1}]', 'left'], { code: 1, stderr: /removed unexpectedly/ });
  await expect([], ['ot', 'json1', 'transformNoConflict', '["a",{"r":true}]', '["a","b",{"ena":1}]', 'left'], { stdout: '["a",{"r":true},"b",{"r":true}]\n' });
  await expect([], ['ot', 'text-unicode', 'apply', '"abc"', '[9,"x"]'], { code: 1 });
  await expect([], ['ot', 'nosuchtype', 'apply', '"abc"', '[]'], { code: 1 });

  const lines = ['{"type":"text-unicode","fn":"apply","args":["abc",[1,{"d":1}]]}', 'no request', '{"type":"text-unicode","fn":"checkOp","args":[[-1]]}'];
  const { stdout } = await expect([], ['ot', '--lines'], { input: lines.join('\n') });
  const answers = stdout.trim().split('\n').map(line => JSON.parse(line));
  assert.equal(answers.length, 3);
  assert.equal(answers[0].ok, 'ac');
  assert('error' in answers[1] && 'code' in answers[1] && 'error' in answers[2]);
});

test('the calculator answers a line as soon as it has it', { timeout: 20_000 }, async t => {
  const child = spawn(pilcrow, ['ot', '--lines'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  t.after(() => child.kill('SIGKILL'));
  for (const text of ['one', 'two']) {
    child.stdin.write(`${JSON.stringify({ type: 'text-unicode', fn: 'apply', args: [text, ['> ']] })}\n`);
    assert.deepEqual(JSON.parse((await answers.next()).value), { ok: `> ${text}` });
  }
  child.stdin.end();
  assert.equal((await answers.next()).done, true);
});

test('nobody reading is no error', async () => {
  const { code } = await run('sh', ['-c', `"$0" --server ${http[1]} ls many --json | head -n 1`, pilcrow]);
  assert.equal(code, 0);
});
