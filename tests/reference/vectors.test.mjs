// Recorded answers of the packages, and requests that must be refused: those in sample/, and all *.jsonl in the folder
// PILCROW_VECTORS where that is set. A line is a request with "ok" or "error"; one that conflicts may say what resolving
// it gives, "resolvedLeft" for its own arguments, "resolvedRight" for the other one over this.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ask, isEqual } from './calculator.mjs';

const folders = [fileURLToPath(new URL('sample', import.meta.url)), process.env.PILCROW_VECTORS].filter(Boolean);

function isRight(vector, answer) {
  if (vector.error) return Object.hasOwn(answer, 'error') && typeof answer.code === 'string';
  return Object.hasOwn(answer, 'ok') && (vector.fn === 'checkOp' || isEqual(bare(vector, answer.ok), bare(vector, vector.ok)));
}

// A Delta is written with its "ops" around it or without.
const bare = ({ type }, value) => (type === 'rich-text' && value && Array.isArray(value.ops) ? value.ops : value);

function resolutions({ type, args: [op, other], resolvedLeft, resolvedRight }) {
  const fn = 'transformNoConflict';

  return [
    { type, fn, args: [op, other, 'left'], ok: resolvedLeft },
    { type, fn, args: [other, op, 'right'], ok: resolvedRight },
  ];
}

for (const folder of folders) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.jsonl'))) {
    test(`vectors of ${name}`, (t) => {
      const vectors = readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
        .flatMap((vector) => (Object.hasOwn(vector, 'resolvedLeft') ? [vector, ...resolutions(vector)] : [vector]));
      const answers = ask(vectors.map(({ type, fn, args }) => ({ type, fn, args })));

      t.diagnostic(`${vectors.length} requests`);
      vectors.forEach((vector, i) => assert.ok(isRight(vector, answers[i]), `${JSON.stringify(vector)}\n-> ${JSON.stringify(answers[i])}`));
    });
  }
}
