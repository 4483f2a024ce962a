// A backup while everybody works; and whether it holds what was acknowledged before it began, whole, and can be worked with.
import { join } from 'node:path';

import { pilcrow, run as runProgram, startServer } from '../../lib/server.mjs';
import { proven } from './requests.mjs';

const PATIENCE_MS = 600_000;

// Runs pilcrow with these arguments, which must end with 0. Returns what it has printed.
export async function command(run, ...args) {
  const { code, stdout, stderr } = await runProgram(pilcrow, args, { timeoutMs: PATIENCE_MS });

  if (code !== 0) run.fault(`pilcrow ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

export class Backup {
  constructor(run, folder) {
    this.run = run;
    this.path = join(folder, 'backup');
  }

  async make() {
    const began = performance.now();

    this.heads = [...this.run.ledger.pages.values()].map(page => [page, page.head]).filter(([, head]) => head);
    await command(this.run, '--server', this.run.server.url, 'backup', this.path);
    this.ms = performance.now() - began;
  }

  async prove(ends) {
    await command(this.run, '--data', this.path, 'check');
    const server = await startServer({ after: end => ends.unshift(end) }, { data: this.path });
    const there = Object.assign(Object.create(this.run), { server });

    for (const [page, head] of this.heads) await proven(there, page, head);
    const { code } = await server.stop();
    if (code !== 0) this.run.fault(`the server on the backup ended with ${code}`);
  }
}
