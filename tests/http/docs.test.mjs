// Every curl line of docs/http.md, one after the other on a fresh server, gives what is shown below it: `...` stands for
// anything within a line, a line of nothing else for any number of lines; where nothing is shown, nothing comes. Lines with a token
// are asked of a server that has the token file of the page.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root, run, startServer, temporaryDirectory } from '../lib/server.mjs';

const page = readFileSync(join(root, 'docs/http.md'), 'utf8');
const blocks = [...page.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ''));
const lines = blocks.flatMap(block => [...block.matchAll(/^\$ (curl .*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, command, shown]) => ({ command, shown })));
const tokens = join(temporaryDirectory({ after }), 'tokens.json');

writeFileSync(tokens, blocks.find(block => block.startsWith('{"principals"')), { mode: 0o600 });
const server = await startServer({ after });
const guarded = await startServer({ after }, { args: ['--tokens', tokens] });

const escape = text => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
const patternOf = shown => new RegExp(`^${shown.trimEnd().split('\n')
  .map(line => (line === '...' ? '(?:.*\n)*?' : `${line.split('...').map(escape).join('.*')}\n`)).join('')}$`);

const MAX_TIME = 28; // curl's status when --max-time is over

test('the page has a line for nearly everything', () => assert(lines.length >= 25, String(lines.length)));

for (const { command, shown } of lines)
  test(command.slice(0, 150), async t => {
    const at = command.includes('Authorization') ? guarded : server;
    const { code, stdout, stderr } = await run('sh', ['-c', `cd '${temporaryDirectory(t)}' && ${command.replaceAll('http://127.0.0.1:8080', at.url)}`]);
    const came = stdout && `${stdout.replaceAll(at.url, 'http://127.0.0.1:8080').replaceAll('\r', '').trimEnd()}\n`;

    assert(code === 0 || (code === MAX_TIME && command.includes('--max-time')), stderr);
    assert(shown ? patternOf(shown).test(came) : !came, `shown:\n${shown}\ncame:\n${came}`);
  });
