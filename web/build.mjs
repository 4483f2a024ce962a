// TypeScript and style sheets into one folder: minified, named by their content, pages filled in. Everything in `assets/`
// may be cached for ever.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(fileURLToPath(import.meta.url));

const scripts = ['start', 'editor'];
const demos = ['auction', 'chat', 'dashboard', 'transcript', 'game'];
const pages = [
  { source: 'pages/start.html', base: '' },
  { source: 'pages/start.html', base: '', hasDemos: true, name: 'start-demos.html' },
  { source: 'pages/editor.html', base: '../../' },
  { source: 'demos/index.html', base: '../', folder: 'demos' },
  ...demos.map(name => ({ source: `demos/${name}.html`, base: '../', folder: 'demos', shell: 'demos/shell.html', script: `${name}.js` })),
];
const copied = ['favicon.svg', 'manifest.webmanifest'];

// Returns the files that went in, as paths from the folder of this file.
export async function build(outDir) {
  const esbuild = await import('esbuild').catch(() => {
    throw new Error('the packages of the page are missing: run `npm ci` in web/ first');
  });

  await rm(outDir, { recursive: true, force: true });
  const results = await Promise.all([
    // `util` is something that sharedb tries and does without.
    esbuild.build({
      ...common(outDir),
      entryPoints: [...scripts.map(name => `src/${name}.ts`), ...demos.map(name => `demos/${name}.ts`)],
      format: 'esm',
      splitting: true,
      external: ['util'],
    }),
    // Holds up the first paint, so it is no module and small.
    esbuild.build({ ...common(outDir), entryPoints: ['src/looks.ts'], format: 'iife' }),
    esbuild.build({ ...common(outDir), entryPoints: ['style/start.css', 'style/editor.css', 'style/demos.css'], loader: { '.woff2': 'file' } }),
  ]);
  const inputs = results.flatMap(result => Object.keys(result.metafile.inputs));
  const names = { 'licences.txt': await writeLicences(inputs, outDir) };

  for (const result of results) Object.assign(names, outputsOf(result, outDir));

  for (const page of pages) await writePage(page, names, outDir);
  for (const name of copied) await writeFile(join(outDir, name), await readFile(join(root, 'pages', name)));
  return [...inputs, ...pages.flatMap(page => [page.source, page.shell ?? []].flat()), ...copied.map(name => `pages/${name}`)];
}

function common(outDir) {
  return {
    absWorkingDir: root,
    outdir: join(resolve(outDir), 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: 'shared-[hash]',
    assetNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    metafile: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    legalComments: 'none', // gathered in licences.txt
    logLevel: 'warning',
  };
}

// "editor.js" -> "assets/editor-1A2B3C4D.js", and the font that every page needs as "font".
function outputsOf(result, outDir) {
  const names = {};

  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    const name = relative(resolve(outDir), resolve(root, path));

    if (output.entryPoint) names[basename(output.entryPoint).replace(/\.ts$/, '.js')] = name;
    else if (/literata-latin-wght-normal/.test(name)) names.font = name;
  }
  return names;
}

// A page with a shell is what stands in the middle of it; its first line says what it is called.
async function writePage({ source, base, folder = '', shell, script, hasDemos = false, name = basename(source) }, names, outDir) {
  const html = (await readFile(join(root, source), 'utf8')).replace(/^.*href="demos\/".*\n/m, link => (hasDemos ? link : ''));
  const [, title, body] = shell ? /^<!-- (.*) -->\n([^]*)$/.exec(html) : [];
  const whole = shell ? (await readFile(join(root, shell), 'utf8')).replaceAll('{{title}}', title).replace('{{body}}', () => body) : html;

  await mkdir(join(outDir, folder), { recursive: true });
  await writeFile(join(outDir, folder, name), filled(whole, base, { ...names, script: names[script] }));
}

function filled(html, base, names) {
  return html.replace(/\{\{([\w.]+)\}\}/g, (_, name) => {
    if (!names[name]) throw new Error(`a page refers to ${name}, which was not built`);
    return base + names[name];
  });
}

// What the packages ask of whoever passes them on: their licences, in the words of their authors.
async function writeLicences(inputs, outDir) {
  const packages = new Set(inputs.map(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
  const parts = [];

  for (const name of [...packages].sort()) {
    const folder = join(root, 'node_modules', name);
    const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = ['LICENSE', 'LICENSE.md', 'LICENCE', 'LICENSE.txt'].map(one => join(folder, one)).find(existsSync);

    parts.push(`${name} ${about.version} (${about.license})\n\n${file ? (await readFile(file, 'utf8')).trim() : ''}`.trim());
  }
  const text = `The pages of Pilcrow contain these packages.\n\n${parts.join(`\n\n${'-'.repeat(72)}\n\n`)}\n`;
  const name = `assets/licences-${createHash('sha256').update(text).digest('hex').slice(0, 8)}.txt`;

  await mkdir(join(outDir, 'assets'), { recursive: true });
  await writeFile(join(outDir, name), text);
  return name;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build(join(root, 'dist'));
