// Rich text as HTML and as Markdown, read by those who know: Quill takes the HTML for the document that it was made of, and the
// Markdown, read by another program, says the same as the HTML.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit, house } from './browser.mjs';
import { bundle } from './site.mjs';
import { Random, seedOf } from '../lib/random.mjs';

const DELTA = 'application/vnd.quill.delta+json';
const N_DOCUMENTS = process.env.PILCROW_LONG ? 3000 : 150;

const { outputFiles } = await bundle({
  stdin: {
    contents: `import Quill from 'quill'; import MarkdownIt from 'markdown-it'; Object.assign(window, { Quill, MarkdownIt });`,
    resolveDir: new URL('.', import.meta.url).pathname,
  },
  format: 'iife',
});

// ---- documents -------------------------------------------------------------------------------------------------------

const WORDS = ['ink', 'a', ' ', '  ', 'two words', ' and ', '*', '_', '__x__', 'snake_case', '`', '``', '[x](y)', '![', '<b>', '&amp;', '&', '\\', '#',
  '# one', '1. one', '12', ')', '.', '-', '- x', '---', '+', '>', '> x', '~~', '!', '(', ')', '"', '“q”', 'é', '天地', '😀', '|', '=', 'www.x.org',
  'http://x.org/a_b', 'a@b.org', ':', '$x$', '{', '<!--', '</p>', '://', '@'];
const ADDRESSES = ['http://x.org/', 'https://x.org/a_b?c=d&e=(f)', 'mailto:a@b.org', 'tel:123', 'http://x.org/<a b>'];
const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';

function randomMarks(random) {
  const marks = {};

  for (const name of ['bold', 'italic', 'underline', 'strike', 'code']) if (random.next() < 0.2) marks[name] = true;
  if (random.next() < 0.1) marks.script = random.oneOf(['sub', 'super']);
  if (random.next() < 0.1) marks.link = random.oneOf(ADDRESSES);
  if (random.next() < 0.1) marks.color = random.oneOf(['red', '#123456']);
  if (random.next() < 0.05) marks.background = '#ffee00';
  return marks;
}

function randomLine(random) {
  const line = random.oneOf([{}, {}, { header: random.between(1, 7) }, { blockquote: true }, { 'code-block': true },
    { list: 'bullet' }, { list: 'ordered' }, { list: 'checked' }, { list: 'unchecked' }]);

  if (line.list && random.next() < 0.5) line.indent = random.between(1, 4);
  if (!line['code-block'] && random.next() < 0.1) line.align = random.oneOf(['center', 'right', 'justify']);
  if (!line['code-block'] && random.next() < 0.1) line.direction = 'rtl';
  return line;
}

function randomDelta(random) {
  const ops = [];
  const push = (insert, attributes) => ops.push(Object.keys(attributes).length ? { insert, attributes } : { insert });

  for (let i = random.between(1, 10), line = {}; i > 0; i--) {
    if (random.next() < 0.6) line = randomLine(random);
    for (let n = random.between(0, 5), marks = {}; n > 0; n--) {
      if (random.next() < 0.7) marks = line['code-block'] ? {} : randomMarks(random);
      if (!line['code-block'] && random.next() < 0.05) {
        push({ image: PIXEL }, { alt: 'dot' });
        push('.', {}); // behind a picture, Quill does not notice that a list begins
      } else push(random.oneOf(WORDS), marks);
    }
    push('\n', line);
  }
  push('end\n', {}); // what Quill reads loses an empty line there
  return { ops };
}

// ---- in the page -----------------------------------------------------------------------------------------------------

// The documents as Quill has them.
const settle = (page, deltas) => page.evaluate(deltas => {
  window.quill = new Quill(document.body.appendChild(document.createElement('div')));
  return deltas.map(delta => (quill.setContents(delta), quill.getContents()));
}, deltas);

// What Quill makes of pages.
const readBack = (page, pages) => page.evaluate(pages => pages.map(html => {
  quill.setContents(quill.clipboard.convert({ html, text: '' }));
  return quill.getContents();
}), pages);

// What both formats can say, line by line: the element that a line is, the lists around it, and each character that is not
// white space with its marks; texts whole, with their spaces.
const outline = (page, sources) => page.evaluate(sources => sources.map(({ html, markdown }) => {
  const MARKS = { A: 'link', STRONG: 'bold', EM: 'italic', U: 'underline', S: 'strike', DEL: 'strike', SUB: 'sub', SUP: 'sup', CODE: 'code' };
  const body = new DOMParser().parseFromString(html ?? new MarkdownIt({ html: true }).render(markdown), 'text/html').body;
  const lines = [];
  let line = null;

  const begin = kind => lines.push((line = { kind, text: '', marks: [] }));
  const write = (text, marks) => {
    for (const c of text.replaceAll('\u00a0', ' ')) {
      line.text += c;
      if (c.trim()) line.marks.push(marks.join(' '));
    }
  };
  const walk = (node, blocks, marks) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) {
        const box = markdown && line && !line.text && line.kind.endsWith('LI') && /^\[([ x])\] /.exec(child.data);
        if (box) line.kind += box[1] === 'x' ? ' x' : ' o';
        if (line) write((box ? child.data.slice(4) : child.data).replaceAll('\n', ''), marks);
      } else if (child.tagName === 'PRE') {
        begin('PRE');
        write(child.textContent.trimEnd(), []);
        line = null;
      } else if (child.tagName === 'IMG') {
        write(`image ${child.getAttribute('src')} ${child.alt}`, marks);
      } else if (child.tagName === 'INPUT') {
        line.kind += child.checked ? ' x' : ' o';
      } else if (/^(P|H\d|LI)$/.test(child.tagName)) {
        begin([...blocks, child.tagName].join(' '));
        walk(child, [...blocks, child.tagName], []);
        line = null;
      } else if (/^(UL|OL|BLOCKQUOTE)$/.test(child.tagName)) {
        line = null;
        walk(child, [...blocks, child.tagName], marks);
      } else if (child.nodeType === Node.ELEMENT_NODE) {
        const mark = MARKS[child.tagName];
        walk(child, blocks, mark ? [...marks, mark === 'link' ? `link=${decodeURI(child.getAttribute('href'))}` : mark].sort() : marks);
      }
    }
  };
  walk(body, [], []);
  return lines.filter(({ kind, text }) => text.trim() || !/P$/.test(kind)).map(line => ({ ...line, text: line.text.trim() ? line.text : '' }));
}), sources);

// ---- tests -----------------------------------------------------------------------------------------------------------

async function prepare(t) {
  const { server, browser } = await house(t);
  const page = await visit(t, browser, 'about:blank');
  const address = i => `${server.url}/v1/docs/rich/d${i}`;

  await page.addScriptTag({ content: outputFiles[0].text });
  return {
    page,
    make: (deltas) => Promise.all(deltas.map(async (delta, i) => {
      const answer = await fetch(address(i), { method: 'PUT', headers: { 'Content-Type': DELTA, 'If-None-Match': '*' }, body: JSON.stringify(delta) });
      assert.equal(answer.status, 201, await answer.text());
    })),
    all: (n, media) => Promise.all(Array.from({ length: n }, async (_, i) => (await fetch(address(i), { headers: { Accept: media } })).text())),
  };
}

test('a document, its HTML, and the document that Quill makes of that: the same; its Markdown says what the HTML says', async t => {
  const random = new Random(seedOf(t));
  const { page, make, all } = await prepare(t);
  const deltas = await settle(page, Array.from({ length: N_DOCUMENTS }, () => randomDelta(random)));

  await make(deltas);
  const html = await all(deltas.length, 'text/html');
  const back = await readBack(page, html);
  deltas.forEach((delta, i) => assert.deepEqual(back[i].ops, delta.ops, html[i]));

  const markdown = await all(deltas.length, 'text/markdown');
  const wanted = await outline(page, html.map(html => ({ html })));
  const got = await outline(page, markdown.map(markdown => ({ markdown })));
  deltas.forEach((delta, i) => assert.deepEqual(got[i], wanted[i], `${JSON.stringify(delta.ops)}\n${html[i]}\n${markdown[i]}`));
});
