// The tests that the npm client brings with it, unmodified, against pilcrowd. Those that are left out are listed in
// left_out.json with the reason, and run as well: each must still fail, and for that reason.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../lib/server.mjs';

const program = fileURLToPath(new URL('run.mjs', import.meta.url));
const leftOut = JSON.parse(readFileSync(new URL('left_out.json', import.meta.url)));

async function results(...args) {
  const { code, signal, stdout, stderr } = await run(process.execPath, [program, ...args], { timeoutMs: 120_000 });

  assert.equal(code ?? signal, 0, stderr);
  return stdout.trim().split('\n').map(line => JSON.parse(line));
}

const [kept, listed] = await Promise.all([results('--others'), results('--listed')]);

for (const { file, title, error } of kept)
  test(`${file}: ${title}`, () => assert.equal(error, null, error));

for (const { why, seen, tests } of leftOut.tests)
  test(`left out, ${Object.values(tests).flat().length} of them: ${why}`, () => {
    for (const [file, titles] of Object.entries(tests))
      for (const title of titles) {
        const result = listed.find(one => one.file === file && one.title === title);

        assert(result, `there is no test "${title}" in ${file}`);
        assert(result.error, `passes, so it is not to be left out: ${file}: ${title}`);
        assert.match([...result.needs, result.error].join('\n'), new RegExp(seen, 'm'), `${file}: ${title}`);
      }
  });

test(`${kept.length} run, ${listed.length} left out, as the README says`, () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8').replaceAll('\n', ' ');

  assert(readme.includes(`${kept.length} of them are run, ${listed.length} are left out`));
});
