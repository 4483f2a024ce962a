// The pages of clients/, bundled as a front-end developer would, and served from an origin of their own.
//
//   const site = await startSite(t);              site.origin: what the server must --allow-origin
//   site.address('quill', { server, id, name })   the page of that client, on that document
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const style = `
  * { box-sizing: border-box }
  html { font: 16px/1.5 sans-serif }
  main { height: 20rem; width: 40rem }
  textarea, .cm-editor { height: 100%; width: 100%; font: inherit }
`;

export const bundle = options =>
  build({
    absWorkingDir: here,
    bundle: true,
    write: false,
    outdir: 'out',
    nodePaths: [join(here, 'node_modules')],
    external: ['util'], // sharedb tries it and does without
    loader: { '.ttf': 'dataurl' },
    logLevel: 'warning',
    ...options,
  });

export async function startSite(t) {
  const clients = readdirSync(join(here, 'clients')).filter(name => name !== 'page.js');
  const { outputFiles } = await bundle({ entryPoints: clients.map(name => `clients/${name}`), format: 'esm', target: 'chrome123' });
  const files = new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]));
  const page = name =>
    `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,">
    <style>${style}</style>${files.has(`/${name}.css`) ? `<link rel="stylesheet" href="${name}.css">` : ''}
    <body><script type="module" src="${name}.js"></script>`;
  const kinds = { js: 'text/javascript', css: 'text/css' };
  const http = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://site');
    const kind = kinds[pathname.split('.')[1]];

    response.setHeader('Content-Type', `${kind ?? 'text/html'}; charset=utf-8`);
    response.end(kind ? files.get(pathname) : page(pathname.slice(1)));
  });

  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => http.close());
  const origin = `http://127.0.0.1:${http.address().port}`;

  return {
    origin,
    address: (client, { server, id, name = '' }) => `${origin}/${client}?${new URLSearchParams({ server: server.webSocketUrl, id, name })}`,
  };
}
