// Recorded answers of the reference, and requests that must be refused: sample.jsonl, and text-unicode*.jsonl in
// PILCROW_VECTORS where that is set. A line is a request with "ok" or "error".
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ask, isEqual } from './calculator.mjs';

const directory = process.env.PILCROW_VECTORS;
const files = [
  fileURLToPath(new URL('sample.jsonl', import.meta.url)),
  ...(directory ? readdirSync(directory).filter((name) => /^text-unicode.*\.jsonl$/.test(name)).map((name) => join(directory, name)) : []),
];

function isRight(vector, answer) {
  if (vector.error) return Object.hasOwn(answer, 'error') && typeof answer.code === 'string';
  return Object.hasOwn(answer, 'ok') && (vector.fn === 'checkOp' || isEqual(answer.ok, vector.ok));
}

for (const file of files) {
  test(`vectors of ${file.split('/').pop()}`, (t) => {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    const answers = ask(lines);

    t.diagnostic(`${lines.length} lines`);
    lines.forEach((line, i) => assert.ok(isRight(JSON.parse(line), answers[i]), `${line}\n-> ${JSON.stringify(answers[i])}`));
  });
}
