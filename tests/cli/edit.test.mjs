// pilcrow edit: a document in an editor, which here is a line of shell, while others write as well.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { principal, tokenFile } from '../lib/tokens.mjs';

const server = await startServer({ after });
const TMPDIR = temporaryDirectory({ after });
const here = ['--server', `http://127.0.0.1:${server.port}`];
const url = name => `${server.url.replace(/\/$/, '')}/v1/docs/${name}`;

async function create(name, content, type = 'text-unicode') {
  const { code, stderr } = await run(pilcrow, [...here, 'create', name, '--type', type, '-'], { input: content });
  assert.equal(code, 0, stderr);
}

const read = async name => (await fetch(url(name))).text();
const log = async name => (await (await fetch(`${url(name)}/ops`)).json()).ops;

// editor: a shell command that gets the file as $1, whose name is $0 there.
async function edit(name, editor, { where = here, args = [], env, code = 0 } = {}) {
  const script = join(temporaryDirectory({ after }), 'editor');

  writeFileSync(script, `#!/bin/sh\nset -e\n${editor}\n`, { mode: 0o755 });
  const result = await run(pilcrow, [...where, 'edit', name, ...args], { env: { TMPDIR, VISUAL: '', EDITOR: script, ...env } });
  assert.equal(result.code, code, result.stderr);
  return result;
}

// The place of the file that was kept; it is taken away.
function kept({ stderr }) {
  const [, path] = stderr.match(/\npilcrow: your text is in (\S+)\n$/) ?? assert.fail(stderr);
  const text = readFileSync(path, 'utf8');

  assert(path.startsWith(`${TMPDIR}/`));
  rmSync(dirname(path), { recursive: true });
  return text;
}

// Somebody else replaces one text by another while the editor is open.
const meanwhile = (name, script) => `${pilcrow} ${here.join(' ')} cat ${name} | sed '${script}' | ${pilcrow} ${here.join(' ')} put ${name} -`;

test('what changed becomes one small operation', async () => {
  await create('e/a', 'one two three\nfour five six\n');
  const { stdout, stderr } = await edit('e/a', 'sed -i "s/two/2/; s/six/6/" "$1"', { args: ['--json'] });
  assert.equal(stdout, '{"version":2}\n');
  assert.equal(stderr, '');
  assert.equal(await read('e/a'), 'one 2 three\nfour five 6\n');
  assert.deepEqual((await log('e/a'))[1].op, [4, '2', { d: 3 }, 17, '6', { d: 3 }]);
  assert.deepEqual(readdirSync(TMPDIR), []);
});

test('what others write meanwhile stays, before, behind and between', async () => {
  await create('e/merge', 'one two three four five six seven\n');
  await edit('e/merge', `${meanwhile('e/merge', 's/one/1/; s/four/4/; s/$/ eight/')}\nsed -i 's/two/2/; s/six/6/' "$1"`);
  assert.equal(await read('e/merge'), '1 2 three 4 five 6 seven eight\n');
});

test('both change the same word: nobody is refused', async () => {
  await create('e/same', 'a word b\n');
  await edit('e/same', `${meanwhile('e/same', 's/word/theirs/')}\nsed -i 's/word/mine/' "$1"`);
  assert.match(await read('e/same'), /^a (minetheirs|theirsmine) b\n$/);
});

test('JSON is shown a member a line, and only what changed is touched', async () => {
  for (const [type, op] of [['json0', [{ p: ['list', 1, 'n'], od: 2, oi: 3 }, { p: ['old'], od: {} }, { p: ['new'], oi: ['é'] }]],
    ['json1', [['list', 1, 'n', { r: true, i: 3 }], ['new', { i: ['é'] }], ['old', { r: true }]]]]) {
    const name = `e/${type}`;
    await create(name, '{"list":[1,{"n":2},"a\\"],:{b"],"old":{},"kept":0.1}', type);
    await edit(name, `cp "$1" ${TMPDIR}-shown
      curl -sS -X PATCH -H 'Content-Type: application/vnd.pilcrow.op+json' --data '${JSON.stringify({ v: 1, op: type === 'json0' ? [{ p: ['theirs'], oi: 1 }] : ['theirs', { i: 1 }] })}' ${url(name)}
      sed -i 's/"n": 2/"n": 3/; s/"old": {}/"new": ["é"]/' "$1"`);
    assert.equal(readFileSync(`${TMPDIR}-shown`, 'utf8'), `{
  "kept": 0.1,
  "list": [
    1,
    {
      "n": 2
    },
    "a\\"],:{b"
  ],
  "old": {}
}
`);
    assert.deepEqual(JSON.parse(await read(name)), { list: [1, { n: 3 }, 'a"],:{b'], new: ['é'], kept: 0.1, theirs: 1 });
    assert.deepEqual((await log(name))[2].op, op);
  }
  await run('rm', [`${TMPDIR}-shown`]);
});

test('nothing changed, or only how it is written: no operation', async () => {
  await create('e/same-text', 'text\n');
  await create('e/same-json', '{"a":[1,2]}', 'json0');
  for (const [name, editor] of [['e/same-text', ':'], ['e/same-text', 'touch "$1"'], ['e/same-json', 'printf "{ \\"a\\":[1.0 ,2] }" >"$1"']]) {
    const { stderr } = await edit(name, editor);
    assert.equal(stderr, 'pilcrow: nothing was changed\n');
    assert.equal((await log(name)).length, 1);
  }
  assert.deepEqual(readdirSync(TMPDIR), []);
});

test('the newline that editors put at the end of a file is not taken for a change', async () => {
  await create('e/newline', 'text');
  assert.match((await edit('e/newline', 'echo >>"$1"')).stderr, /nothing was changed/);
  await edit('e/newline', 'printf " more\\n" >>"$1"');
  assert.equal(await read('e/newline'), 'text more');
});

test('the file is its owner\'s alone, has a fitting name, and may be replaced by the editor', async () => {
  await create('e/a%20b%2F.c', 'x\n');
  await edit('e/a%20b%2F.c', `stat -c '%a %n' "$1" "$(dirname "$1")" >${TMPDIR}-modes
    sed s/x/y/ "$1" >"$1.new"; mv "$1.new" "$1"; touch "$1~"`);
  assert.match(readFileSync(`${TMPDIR}-modes`, 'utf8'), /^600 \S+\/a_b__c\.txt\n700 \S+\n$/);
  assert.equal(await read('e/a%20b%2F.c'), 'y\n');
  assert.deepEqual(readdirSync(TMPDIR), []);
  await run('rm', [`${TMPDIR}-modes`]);
});

test('which editor: VISUAL before EDITOR, with arguments', async () => {
  await create('e/which', 'a\n');
  await edit('e/which', 'false', { env: { VISUAL: 'sed -i s/a/b/' } });
  assert.equal(await read('e/which'), 'b\n');
});

test('an editor that fails: nothing is submitted, and the text is kept if it changed', async () => {
  await create('e/fails', 'a\n');
  const unchanged = await edit('e/fails', 'exit 3', { code: 1 });
  assert.match(unchanged.stderr, /^pilcrow: the editor \(\S+\) ended with 3; nothing was changed\n$/);
  assert.deepEqual(readdirSync(TMPDIR), []);
  const changed = await edit('e/fails', 'echo b >>"$1"; exit 1', { code: 1 });
  assert.equal(kept(changed), 'a\nb\n');
  assert.match((await edit('e/fails', 'kill -9 $$', { code: 1 })).stderr, /ended (by signal 9|with 137)/);
  assert.match((await run(pilcrow, [...here, 'edit', 'e/fails'], { env: { TMPDIR, VISUAL: '/not/there' } })).stderr, /ended with 127/);
  assert.match((await edit('e/fails', 'rm "$1"', { code: 1 })).stderr, /No such file/);
  assert.equal(await read('e/fails'), 'a\n');
  assert.equal((await log('e/fails')).length, 1);
});

test('what can not be submitted is kept', async () => {
  await create('e/bad', 'a\n');
  await create('e/bad-json', '{"a":1}', 'json0');
  const rows = [
    ['e/bad', 'printf "\\377" >>"$1"', 1, /not UTF-8/], ['e/bad-json', 'echo "{" >"$1"', 1, /no JSON/],
    ['e/bad-json', 'echo \'{"__proto__":1}\' >"$1"', 1, /__proto__/], ['e/bad-json', 'echo \'{"toString":1}\' >"$1"', 1, /Invalid path segment/],
    ['e/bad', `echo b >>"$1"; ${pilcrow} ${here.join(' ')} rm e/bad --yes`, 4, /ERR_DOC_WAS_DELETED/],
  ];

  for (const [name, editor, code, stderr] of rows) {
    const result = await edit(name, editor, { code });
    assert.match(result.stderr, stderr);
    assert(kept(result).length > 0);
  }
  assert.equal((await log('e/bad-json')).length, 1);
});

test('a server that goes away: the text is kept; one that comes back is waited for, and applies it once', async t => {
  const own = await startServer(t);
  const where = ['--server', `http://127.0.0.1:${own.port}`];
  const script = join(temporaryDirectory(t), 'marks');
  const opened = () => existsSync(script);

  await run(pilcrow, [...where, 'create', 'e/a', '-'], { input: 'a\n' });
  await own.kill().then(() => own.restart());
  const gone = edit('e/a', `echo b >>"$1"; touch ${script}; while [ -e ${script} ]; do sleep 0.05; done`, { where, code: 6 });
  while (!opened())
    await new Promise(resolve => setTimeout(resolve, 20));
  await own.kill();
  await run('rm', [script]);
  assert.equal(kept(await gone), 'a\nb\n');

  await own.restart();
  const back = edit('e/a', `echo c >>"$1"; touch ${script}; while [ -e ${script} ]; do sleep 0.05; done`, { where });
  while (!opened())
    await new Promise(resolve => setTimeout(resolve, 20));
  await own.kill();
  await run('rm', [script]);
  await own.restart();
  await back;
  assert.equal((await run(pilcrow, [...where, 'cat', 'e/a'])).stdout, 'a\nc\n');
});

test('on a store without a server', async t => {
  const where = ['--data', join(temporaryDirectory(t), 'store')];

  await run(pilcrow, [...where, 'create', 'e/a', '-'], { input: 'a\n' });
  await edit('e/a', 'echo b >>"$1"', { where });
  assert.equal((await run(pilcrow, [...where, 'cat', 'e/a'])).stdout, 'a\nb\n');
});

test('who may only read keeps what he wrote', async t => {
  const tokens = tokenFile(t, principal('ink', 'write', 'secret-of-ink'), principal('paper', 'read', 'secret-of-paper'));
  const own = await startServer(t, { args: tokens.args });
  const by = who => {
    const path = join(temporaryDirectory(t), 'token');
    writeFileSync(path, `secret-of-${who}\n`, { mode: 0o600 });
    return ['--server', `http://127.0.0.1:${own.port}`, '--token-file', path];
  };

  await run(pilcrow, [...by('ink'), 'create', 'e/a', '-'], { input: 'a\n' });
  await edit('e/a', 'echo b >>"$1"', { where: by('ink') });
  const refused = await edit('e/a', 'echo c >>"$1"', { where: by('paper'), code: 5 });
  assert.match(refused.stderr, /ERR_NOT_ALLOWED/);
  assert.equal(kept(refused), 'a\nb\nc\n');
});

test('what can not be edited', async () => {
  await create('e/rich', '[{"insert":"a"}]', 'rich-text');
  assert.match((await edit('e/rich', 'false', { code: 2 })).stderr, /^pilcrow: e\/rich is rich text[^\n]+\n$/);
  assert.match((await edit('e/none', 'false', { code: 3 })).stderr, /there is no document e\/none/);
  await create('e/vi', 'a');
  assert.match((await edit('e/vi', '', { env: { EDITOR: '' }, code: 2 })).stderr, /^pilcrow: vi needs a terminal; [^\n]+\n$/);
  await edit('noslash', 'false', { code: 2 });
  await edit('e/a', 'false', { args: ['e/b'], code: 2 });
  await edit('e/a', 'false', { where: ['--server', 'http://127.0.0.1:1'], code: 6 });
  await edit('e/a', 'false', { env: { TMPDIR: '/not/there' }, code: 1 });
  assert.equal(statSync(TMPDIR).isDirectory() && readdirSync(TMPDIR).length, 0);
});
