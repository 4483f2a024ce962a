// Token files, for servers with principals.
//
//   const tokens = tokenFile(t, principal('ink', 'write', 'secret of ink'), principal('paper', 'read', 'secret of paper'));
//   const server = await startServer(t, { args: tokens.args });
//   tokens.write(...);  await server.hangup(/tokens have been read again/);
//
// The secrets of tests are short and known; real ones are made by `pilcrow token`.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './server.mjs';

export const hash = secret => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
export const bearer = secret => ({ authorization: `Bearer ${secret}` });
export const principal = (name, rights, ...secrets) => ({ name, rights: rights.split(' '), secrets: secrets.map(hash) });

export function tokenFile(t, ...principals) {
  const path = join(temporaryDirectory(t), 'tokens.json');
  const write = (...all) => writeFileSync(path, JSON.stringify({ principals: all }, null, 1), { mode: 0o600 });

  write(...principals);
  return { path, write, args: ['--tokens', path] };
}
