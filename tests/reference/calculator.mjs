// Requests to our calculator, and the comparison of its answers with what was wanted.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The program that reads requests: PILCROW_OT_LINES, or where `./dev test reference` puts it.
const program =
  process.env.PILCROW_OT_LINES ?? fileURLToPath(new URL('../../build/tests/reference/ot_lines', import.meta.url));

// Answers to requests, in order. A program that dies or answers less is an error of its own.
export function ask(requests) {
  if (!existsSync(program)) throw new Error(`${program} is missing: build it, or set PILCROW_OT_LINES`);
  const input = requests.map((request) => (typeof request === 'string' ? request : JSON.stringify(request)) + '\n').join('');
  const run = spawnSync(program, { input, maxBuffer: 1 << 30 });
  const lines = run.stdout.toString().split('\n').slice(0, -1);

  if (run.status !== 0 || lines.length !== requests.length)
    throw new Error(`${lines.length} answers to ${requests.length} requests, status ${run.status}: ${run.stderr}`);
  return lines.map((line) => JSON.parse(line));
}

// JSON values: numbers by value, objects in any order of keys.
export function isEqual(a, b) {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);

  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}
