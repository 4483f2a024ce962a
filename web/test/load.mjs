// A module of src/, compiled for Node: its packages stay packages, so that tests and module share them.
import { build } from 'esbuild';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

export async function load(...names) {
  const scratch = join(root, 'node_modules', '.cache', 'pilcrow-test', String(process.pid));

  await mkdir(scratch, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: names.map(name => `src/${name}.ts`),
    outdir: scratch,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    alias: { 'sharedb/lib/client': 'sharedb/lib/client/index.js' }, // Node imports no folders
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  return Object.assign({}, ...(await Promise.all(names.map(name => import(pathToFileURL(join(scratch, `${name}.mjs`)))))));
}
