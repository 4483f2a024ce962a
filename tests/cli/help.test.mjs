// What the program says of itself: help, manual pages, completions. All of it comes from the tables, so each is held
// against `pilcrow help`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pilcrow, pilcrowd, run, temporaryDirectory } from '../lib/server.mjs';

const folder = temporaryDirectory({ after });
const overview = (await run(pilcrow, ['help'])).stdout;
const groups = new Map(overview.split('\n\n').map(part => part.split('\n')).filter(([heading]) => /^[A-Z]\w+$/.test(heading))
  .map(([heading, ...lines]) => [heading, lines.map(line => line.trim().split(' ')[0])]));
const commands = [...groups.values()].flat();

const help = async command => (await run(pilcrow, ['help', command])).stdout;
const optionsOf = text => [...text.matchAll(/^ {2}--([\w-]+)/gm)].map(match => match[1]);
const flat = text => text.replaceAll('\\-', '-').replaceAll(/\\f[BIR]/g, '');
const sections = page => [...page.matchAll(/^\.SH (.*)$/gm)].map(match => match[1]);

// What is completed: above the first test (README.md).
const programs = temporaryDirectory({ after });
symlinkSync(pilcrow, join(programs, 'pilcrow'));
const environment = { ...process.env, PATH: `${programs}:${process.env.PATH}`, PILCROW_DATA: join(folder, 'data') };
const scripts = new Map();
for (const shell of ['bash', 'zsh', 'fish'])
  scripts.set(shell, (await run(pilcrow, ['completion', shell])).stdout);

for (const name of ['notes/diary', 'notes/diary2', 'notes/letter', 'lists/shopping', 'notes/$(touch%20owned)'])
  assert.equal((await run(pilcrow, ['create', name], { env: environment })).code, 0);

test('help has every command under a heading, and each has a page of its own with an example', async () => {
  assert.deepEqual([...groups.keys()], ['Documents', 'History', 'Administration', 'Tools']);
  assert(commands.includes('cat') && commands.includes('backup') && commands.includes('help'));
  for (const command of commands)
    assert.match(await help(command), new RegExp(`^pilcrow ${command}( .*)?\n\n( {4}\\S.*\n)+\n`), command);
});

test('the manual has a page for each command, with its options, and nothing that roff would take for a macro', async () => {
  const man = join(folder, 'man1');

  assert.equal((await run(pilcrow, ['help', '--man', man])).code, 0);
  assert.deepEqual(readdirSync(man).sort(), ['pilcrow.1', ...commands.map(command => `pilcrow-${command}.1`)].sort());
  for (const command of commands) {
    const page = readFileSync(join(man, `pilcrow-${command}.1`), 'utf8');
    assert.match(page, new RegExp(`^\\.TH PILCROW-${command.toUpperCase()} 1 `));
    for (const option of optionsOf(await help(command)))
      assert.match(flat(page), new RegExp(`^\\.TP\n--${option}( .*)?$`, 'm'), `${command} --${option}`);
    assert.deepEqual(sections(page).filter(name => !['OPTIONS', 'ENVIRONMENT', 'FILES'].includes(name)),
      ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES', 'SEE ALSO'], command);
    for (const [line] of page.matchAll(/^[.'].*$/gm))
      assert.match(line, /^\.(TH|SH|SS|TP|PP|RS|RE|EX|EE|PD)\b/, command);
  }
  const first = flat(readFileSync(join(man, 'pilcrow.1'), 'utf8'));
  assert.deepEqual(sections(first), ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'COMMANDS', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'EXAMPLES', 'SEE ALSO']);
  for (const command of commands)
    assert.match(first, new RegExp(`^pilcrow-${command}\\(1\\)`, 'm'));
});

test('the server has a page with all its flags', async () => {
  const page = flat((await run(pilcrowd, ['--man'])).stdout);
  const flags = optionsOf((await run(pilcrowd, ['--help'])).stdout);

  assert(flags.length > 20 && !flags.includes('man'));
  for (const flag of flags)
    assert.match(page, new RegExp(`^\\.TP\n--${flag}( .*)?$`, 'm'), flag);
  assert.match(page, /^PILCROW_LOG_LEVEL$/m);
  assert.doesNotMatch(page, /^ /m, 'roff begins a new line where one begins with a blank');
});

// ---- completions

// What bash would offer at the end of the line.
function complete(line) {
  const script = `${scripts.get('bash')}
    COMP_LINE=$1 COMP_POINT=\${#1}
    _pilcrow
    printf '%s\\n' "\${COMPREPLY[@]}"`;

  return execFileSync('bash', ['-c', script, 'bash', line], { env: environment, cwd: folder, encoding: 'utf8' }).split('\n').filter(Boolean);
}

test('bash completes commands, and options of each', async () => {
  assert.deepEqual(complete('pilcrow ').sort(), [...commands].sort());
  assert.deepEqual(complete('pilcrow --json ca'), ['cat']);
  assert.deepEqual(complete('pilcrow help ba'), ['backup']);
  assert.deepEqual(complete('pilcrow completion ').sort(), ['bash', 'fish', 'zsh']);
  assert.deepEqual(complete('pilcrow create notes/new --type '), ['text-unicode', 'rich-text', 'json0', 'json1']);
  const everybodys = optionsOf(overview);
  for (const command of commands)
    assert.deepEqual(complete(`pilcrow ${command} --`).sort(), [...everybodys, ...optionsOf(await help(command))].map(name => `--${name}`).sort(), command);
});

test('bash completes collections, documents and files', () => {
  assert.deepEqual(complete('pilcrow cat '), ['lists/', 'notes/']);
  assert.deepEqual(complete('pilcrow cat notes/d'), ['notes/diary', 'notes/diary2']);
  assert.deepEqual(complete('pilcrow cat notes/'), ['notes/diary', 'notes/diary2', 'notes/letter']); // the fourth would need quotes
  assert.deepEqual(complete('pilcrow ls n'), ['notes']);
  assert.deepEqual(complete(`pilcrow put notes/diary ${folder}/da`), [`${folder}/data`]);
  assert.deepEqual(complete('pilcrow cat $(touch owned)/'), []);
  assert.equal(existsSync(join(folder, 'owned')), false);
});

test('bash asks the server or the store that the line names, and is quiet when it does not answer', () => {
  assert.deepEqual(complete('pilcrow --server http://127.0.0.1:1 cat n'), []);
  assert.deepEqual(complete(`pilcrow --server http://127.0.0.1:1 --data ${folder}/data cat n`), ['notes/']);
});

test('the scripts for zsh and fish are well-formed where there is one to ask, and name every command', () => {
  for (const shell of ['zsh', 'fish']) {
    for (const command of commands)
      assert.match(scripts.get(shell), new RegExp(`\\b${command}\\b`));
    writeFileSync(join(folder, shell), scripts.get(shell));
    if (existsSync(`/usr/bin/${shell}`))
      execFileSync(shell, ['-n', join(folder, shell)]);
  }
});
