// A small disk of one's own, in a mount namespace that only the programs of a test see.
//
//   test('...', { skip: noDisk }, async t => {
//   const disk = await mountDisk(t, { megabytes: 8 });
//   const server = await startServer(t, { program: disk.program(pilcrowd), data: disk.path });
//   await disk.remount('ro'); await disk.remount('rw,size=32m');
//   await disk.run(pilcrow, ['--data', disk.path, 'ls']);
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, temporaryDirectory } from './server.mjs';

// Whoever may not mount, may in a user namespace of his own, unless the machine forbids that, too.
const canMount = async (...as) => (await run('unshare', [...as, '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'])).code === 0;
const mayMount = await canMount();
const asRoot = mayMount ? [] : ['--map-root-user'];
const inside = mayMount ? [] : ['--user', '--preserve-credentials'];

// For tests that want a disk: why they can't be run here; false: they can.
export const noDisk = mayMount || await canMount(...asRoot) ? false : 'this machine lets nobody mount a disk, neither root nor in a user namespace';

export async function mountDisk(t, { megabytes }) {
  const folder = temporaryDirectory(t);
  const path = join(folder, 'disk');
  const mount = `mount -t tmpfs -o size=${megabytes}m none '${path}' && echo mounted && exec cat`; // as long as we live

  mkdirSync(path);
  const holder = spawn('unshare', [...asRoot, '--mount', 'sh', '-c', mount], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  const [said] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(() => [''])]);
  assert.equal(String(said).trim(), 'mounted', 'no disk can be mounted: neither as root nor in a user namespace');

  const enter = ['--target', String(holder.pid), '--mount', ...inside];
  return {
    path,
    run: (program, args, options) => run('nsenter', [...enter, program, ...args], options),
    // A program that does the same as this one, and sees the disk.
    program(name) {
      const script = join(folder, `in-${name.split('/').pop()}`);

      writeFileSync(script, `#!/bin/sh\nexec nsenter ${enter.join(' ')} '${name}' "$@"\n`, { mode: 0o755 });
      return script;
    },
    async remount(options) {
      const { code, stderr } = await run('nsenter', [...enter, 'mount', '-o', `remount,${options}`, path]);

      assert.equal(code, 0, stderr);
    },
  };
}
