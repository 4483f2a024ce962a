// Every curl line of docs/http.md works, one after the other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, run, temporaryDirectory } from '../lib/server.mjs';
import { server } from './rest.mjs';

const lines = [...readFileSync(join(root, 'docs/http.md'), 'utf8').matchAll(/^ {4}\$ (curl .*)$/gm)].map(match => match[1]);

assert(lines.length >= 10);
for (const line of lines)
  test(line.slice(0, 100), async t => {
    const { code, stderr } = await run('sh', ['-c', `cd '${temporaryDirectory(t)}' && ${line.replaceAll('http://127.0.0.1:8080', server.url)} --fail --output /dev/null`]);
    assert.equal(code, line.includes('--max-time') ? 28 : 0, stderr); // of a stream its time is the end
  });
