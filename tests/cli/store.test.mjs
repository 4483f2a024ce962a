// Space and forgetting: pilcrow store, compact, rm --purge, over HTTP and on a store.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, run, startServer, temporaryDirectory } from '../lib/server.mjs';
import { principal, tokenFile } from '../lib/tokens.mjs';

const server = await startServer({ after });
const data = join(temporaryDirectory({ after }), 'store');
const quote = word => `'${word.replaceAll("'", "'\\''")}'`;

// On a terminal of its own, with what somebody types there.
const onTerminal = (where, args, input) =>
  run('script', ['-qec', [pilcrow, ...where, ...args].map(quote).join(' '), '/dev/null'], { input });

for (const [title, where, files] of [
  ['over HTTP', ['--server', server.url], server.data],
  ['on a store', ['--data', data], data],
]) {
  const cli = async (args, code = 0, options = {}) => {
    const result = await run(pilcrow, [...where, ...args], options);

    assert.equal(result.code, code, `pilcrow ${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  const json = async args => JSON.parse((await cli([...args, '--json'])).stdout);

  test(`${title}: rm --purge forgets, and compact takes it out of the file`, async () => {
    await cli(['create', 'notes/diary', '-'], 0, { input: 'marked one' });
    await cli(['put', 'notes/diary', '-'], 0, { input: 'marked two' });
    assert.match((await cli(['rm', 'notes/diary', '--purge', '--dry-run'])).stdout, /^would forget notes\/diary for good: 2 versions since 20\d\d-\S+Z\n$/);
    assert.deepEqual(Object.keys(await json(['rm', 'notes/diary', '--purge', '--dry-run'])), ['versions', 'since', 'purge']);
    assert.match((await cli(['rm', 'notes/diary', '--purge'], 2)).stderr, /2 versions since 20\d\d.* can't be brought back .*--yes/);
    assert.equal((await cli(['cat', 'notes/diary@1'])).stdout, 'marked one');

    assert.deepEqual(await json(['rm', 'notes/diary', '--purge', '--yes']), { version: 3 });
    await cli(['cat', 'notes/diary'], 3);
    await cli(['cat', 'notes/diary@1'], 3);
    await cli(['rm', 'notes/diary', '--purge', '--yes'], 3);
    assert.equal((await json(['store'])).n_batches, 0);
    await cli(['compact']);
    assert.ok(!readdirSync(files).some(name => readFileSync(join(files, name)).includes('marked')));

    await cli(['create', 'notes/diary', '-'], 0, { input: 'new' });
    assert.equal((await json(['stat', 'notes/diary'])).version, 4);
    await cli(['rm', 'notes/diary', '--purge', '--yes']); // what came before is not kept, and so not counted
  });

  test(`${title}: rm leaves what --purge can forget later`, async () => {
    await cli(['create', 'notes/old', '-'], 0, { input: 'one' });
    assert.match((await cli(['rm', 'notes/old', '--dry-run'])).stdout, /^would delete notes\/old; its history stays\n$/);
    await cli(['rm', 'notes/old', '--yes']);
    assert.equal((await cli(['cat', 'notes/old@1'])).stdout, 'one');
    await cli(['rm', 'notes/old', '--purge', '--yes']);
    await cli(['cat', 'notes/old@1'], 3);
    await cli(['rm', 'notes/never', '--purge', '--yes'], 3);
    await cli(['rm', 'notes/never', '--dry-run'], 3);
  });

  test(`${title}: rm --purge forgets whatever there is in a document`, async () => {
    for (const [id, type, content] of [['nul', 'text-unicode', 'a\0b'], ['large', 'json0', '{"n":1e20,"m":9223372036854775808}'], ['escaped', 'json0', '"\\u0000"']]) {
      await cli(['create', `held/${id}`, '--type', type, '-'], 0, { input: content });
      assert.match((await cli(['rm', `held/${id}`, '--purge', '--dry-run'])).stdout, /^would forget held\/\w+ for good: 1 version since 20\d\d-\S+Z\n$/);
      await cli(['rm', `held/${id}`, '--purge', '--yes']);
      await cli(['cat', `held/${id}@1`], 3);
    }
  });

  test(`${title}: store and compact in numbers`, async () => {
    for (const id of ['a', 'b', 'c', 'd'])
      await cli(['create', `space/${id}`, '-'], 0, { input: Array.from({ length: 30_000 }, Math.random).join(' ') });
    await cli(['compact']);
    for (const id of ['a', 'b', 'c', 'd'])
      await cli(['rm', `space/${id}`, '--purge', '--yes']);

    const before = await json(['store']);
    assert.equal(before.file_bytes, statSync(join(files, 'data.mdb')).size);
    assert.ok(before.free_bytes > 500_000, `${before.free_bytes}`);
    assert.match((await cli(['store'])).stdout, /^file_bytes\t\d+\nfree_bytes\t\d+\nn_logs\t\d+\n/);
    const promised = await json(['compact', '--dry-run']);
    assert.match((await cli(['compact', '--dry-run'])).stdout, /^would give back at least \d\S* [kM]B, and needs /);
    assert.equal((await json(['store'])).file_bytes, before.file_bytes);

    const result = await json(['compact']);
    assert.ok(result.before.file_bytes - result.after.file_bytes >= promised.gain_bytes - 65_536);
    assert.equal(result.after.n_documents, before.n_documents);
    assert.equal((await cli(['compact'])).stdout, '');
  });

  test(`${title}: on a terminal: a question, a table, and what to do`, async () => {
    await cli(['create', 'notes/asked', '-'], 0, { input: 'one' });
    const no = await onTerminal(where, ['rm', 'notes/asked', '--purge'], 'n\n');
    assert.match(no.stdout, /Forget notes\/asked for good\? .* 1 version since .*\[y\/N\] /);
    assert.match(no.stdout, /nothing was done/);
    assert.equal((await cli(['cat', 'notes/asked'])).stdout, 'one');
    assert.match((await onTerminal(where, ['rm', 'notes/asked', '--purge'], 'y\n')).stdout, /forgotten notes\/asked\. .*pilcrow compact/);
    assert.match((await onTerminal(where, ['store'])).stdout, /the data file +\d+\S* kB[^]*free, used again first[^]*\d+ documents, and the history of \d+ that were deleted/);
    const compacted = (await onTerminal(where, ['compact'])).stdout;
    assert.match(compacted, /kB before, \S+ kB now/);
    if (where[0] === '--data')
      assert.match(compacted, /compacting {2}\[#* *\] {2}\d+ %/);
  });

  test(`${title}: usage`, async () => {
    await cli(['store', 'x'], 2);
    await cli(['compact', 'x'], 2);
    await cli(['store', '--purge'], 2);
    await cli(['compact', '--purge'], 2);
  });
}

test('a store that a server holds is compacted through the server only', async () => {
  const direct = await run(pilcrow, ['--data', server.data, 'compact']);
  assert.equal(direct.code, 6, direct.stderr);
  const rehearsed = await run(pilcrow, ['--data', server.data, 'compact', '--dry-run']);
  assert.equal(rehearsed.code, 0, rehearsed.stderr);
  const sizes = await run(pilcrow, ['--data', server.data, 'store', '--json']);
  assert.ok(JSON.parse(sizes.stdout).file_bytes > 0);
});

test('who may not is told so', async t => {
  const tokens = tokenFile({ after }, principal('ink', 'write', 'ink'));
  const guarded = await startServer(t, { args: tokens.args });
  const where = ['--server', guarded.url, '--token-file', join(temporaryDirectory(t), 'token')];

  writeFileSync(where[3], 'ink\n', { mode: 0o600 });
  assert.equal((await run(pilcrow, [...where, 'create', 'notes/a', '-'], { input: 'x' })).code, 0);
  for (const args of [['store'], ['compact'], ['rm', 'notes/a', '--purge', '--yes']])
    assert.equal((await run(pilcrow, [...where, ...args])).code, 5, args[0]);
});
