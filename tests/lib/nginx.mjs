// Debian's nginx with examples/nginx/pilcrow.conf in front of a server, as whoever runs the tests, in a folder of its own.
//
//   const proxy = await startNginx(t, { cert, key, socket });   files; the unix socket of the server
//   proxy.origin, proxy.url                                     "https://localhost:4711", the same with /pilcrow
//   await proxy.reload();                                       new workers; the old ones end
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { root, temporaryDirectory } from './server.mjs';

const NGINX = process.env.NGINX || '/usr/sbin/nginx';
const TIMEOUT_MS = 20_000;

// The file as it is delivered, with the lines that are everybody's own replaced, each of them found.
function recipe(own) {
  let text = readFileSync(join(root, 'examples/nginx/pilcrow.conf'), 'utf8');

  for (const [theirs, ours] of own) {
    if (!text.includes(theirs)) throw new Error(`the recipe has no line with: ${theirs}`);
    text = text.replaceAll(theirs, ours);
  }
  return text;
}

// Not one of those that the system hands out: nginx can't be given one that is held for it.
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const holder = createServer().listen(port, '127.0.0.1');
    const isFree = await once(holder, 'listening').then(() => true, () => false);

    if (!isFree) continue;
    await new Promise(done => holder.close(done));
    return port;
  }
}

export async function startNginx(t, { cert, key, socket }) {
  const folder = temporaryDirectory(t);
  const at = name => join(folder, name);
  const port = await freePort();

  mkdirSync(at('bodies'));
  writeFileSync(
    at('recipe.conf'),
    recipe([
      ['    listen [::]:443 ssl http2;\n', ''],
      ['listen 443 ', `listen 127.0.0.1:${port} `],
      ['docs.example.org', 'localhost'],
      ['/etc/ssl/pilcrow/fullchain.pem', cert],
      ['/etc/ssl/pilcrow/privkey.pem', key],
      ['unix:/run/pilcrow/socket;', `unix:${socket};`],
      ['/var/log/nginx/pilcrow.log', at('access.log')],
    ]),
  );
  writeFileSync(
    at('nginx.conf'),
    `daemon off;
    ${process.getuid() === 0 ? 'user root;' : ''} # whose the socket is
    worker_processes 2;
    worker_shutdown_timeout 1s;
    pid ${at('pid')};
    error_log ${at('error.log')} info;
    events { worker_connections 1024; }
    http {
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(what => `${what}_temp_path ${at('bodies')}/${what};`).join('\n      ')}
      include ${at('recipe.conf')};
    }`,
  );
  const child = spawn(NGINX, ['-p', folder, '-c', at('nginx.conf'), '-e', at('error.log')], { stdio: 'inherit' });
  const log = () => (existsSync(at('error.log')) ? readFileSync(at('error.log'), 'utf8') : '');
  const until = async isSo => {
    for (const end = Date.now() + TIMEOUT_MS; !isSo(); await new Promise(done => setTimeout(done, 20)))
      if (child.exitCode !== null || Date.now() > end) throw new Error(`nginx:\n${log()}`);
  };
  const workers = () => log().match(/start worker process \d+/g)?.length ?? 0;

  t.after(async () => {
    child.kill('SIGTERM');
    await (child.exitCode ?? once(child, 'close'));
  });
  await until(() => workers() === 2);
  return {
    origin: `https://localhost:${port}`,
    url: `https://localhost:${port}/pilcrow`,
    port,
    log,
    accessLog: () => readFileSync(at('access.log'), 'utf8'),
    async reload() {
      const n = workers();
      const nEnded = log().match(/worker process \d+ exited/g)?.length ?? 0;

      child.kill('SIGHUP');
      await until(() => workers() === n + 2 && log().match(/worker process \d+ exited/g)?.length === nEnded + 2);
    },
  };
}
