// Figures as they are written into pages, and the place in a page that they are written to.
//
//   digits(1234.5), time(ms), bytes(n), percent(share), micros(s), count(n)      '1,235', '3.2 ms', '8 kB', '12 %', '1.4 us', '1,000'
//   row(['a', 'b'])                              '| a | b |'
//   const page = openPage('docs/x.md', './dev bench x');   the page has two lines <!-- measured by ./dev bench x -->
//   page.write(text)                             what stands between them
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

import { root } from '../lib/server.mjs';

export const digits = (value, n = 2) => (value >= 10 ** n ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(n))));
export const time = ms => (ms < 999.5 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`);
export const bytes = n => (n < 1000 ? `${digits(n)} B` : n < 1e6 ? `${digits(n / 1000)} kB` : `${digits(n / 1e6)} MB`);
export const percent = share => `${digits(100 * share)} %`;
export const micros = s => `${digits(1e6 * s)} us`;
export const count = n => n.toLocaleString('en');
export const row = cells => `| ${cells.join(' | ')} |`;

// When and where this is measured, and what else is to be known of it.
export function circumstances(more) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const date = new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs') ? ' with changes' : '';

  return `${date}, ${cpus().length} cores (${cpus()[0].model.trim()}), Linux ${release().replace(/-.*/, '')}, commit ${git('rev-parse', '--short', 'HEAD')}${changed}. ` +
    more;
}

export function openPage(name, command) {
  const path = join(root, name);
  const mark = `<!-- measured by ${command} -->\n`;
  const [before, , after, ...rest] = readFileSync(path, 'utf8').split(mark);

  if (after === undefined || rest.length) throw new Error(`${path} has not two lines ${mark}`);
  return { write: text => writeFileSync(path, [before, mark, `\n${text}\n\n`, mark, after].join('')) };
}
