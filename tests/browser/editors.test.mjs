// The clients of docs/clients.md in a real browser: two people in each editor, on pages from another origin than the server's.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { house, picture, put, until, visit } from './browser.mjs';
import { startSite } from './site.mjs';

const site = await startSite({ after });
const { server, browser } = await house({ after }, { server: { args: ['--allow-origin', site.origin] } });

const editors = {
  quill: { place: '.ql-editor', end: '\n', hasOwnUndo: true, hasCarets: true },
  'quill-1': { place: '.ql-editor', end: '\n', hasOwnUndo: true },
  codemirror: { place: '.cm-content', end: '', hasOwnUndo: true, hasCarets: true },
  monaco: { place: '.monaco-editor .view-lines', end: '' },
  textarea: { place: 'textarea', end: '' },
};

// Two people, each with a browser of his own.
const permissions = ['clipboard-read', 'clipboard-write'];
const newContext = () => browser.newContext({ viewport: { width: 800, height: 500 }, permissions });
const contexts = { ink: await newContext(), paper: await newContext() };

async function openPage(t, who, client, id, options = {}) {
  const page = await visit(t, browser, site.address(client, { server, id, name: who }), { context: contexts[who], ...options });

  t.after(() => page.close());
  await page.waitForSelector('html[data-state=ready]');
  return page;
}

const openTwo = (t, client, id = client) => Promise.all([openPage(t, 'ink', client, id), openPage(t, 'paper', client, id)]);
const shown = page => page.evaluate(() => window.client.text());
const refusals = page => page.evaluate(() => window.client.refusals);
const isSettled = page => page.evaluate(() => !window.client.doc.hasWritePending() && window.client.connection.state === 'connected');

const cut = page =>
  page.evaluate(
    () =>
      new Promise(done => {
        window.client.connection.once('disconnected', () => done());
        window.client.connection.socket.close();
      }),
  );

async function served(id) {
  const answer = await fetch(`${server.url}/v1/docs/clients/${id}`);

  return /json/.test(answer.headers.get('content-type')) ? (await answer.json()).ops.map(({ insert }) => insert).join('') : answer.text();
}

// All pages show this text, and the server has it.
async function agree(id, text, ...pages) {
  const texts = async () => [await served(id), ...(await Promise.all(pages.map(shown)))];

  await until(async () => {
    const all = await texts();

    return (await Promise.all(pages.map(isSettled))).every(Boolean) && all.every(one => one === text);
  }, 'the same text everywhere').catch(async () => assert.deepEqual(await texts(), Array(pages.length + 1).fill(text)));
  for (const page of pages) assert.deepEqual(await refusals(page), []);
}

async function typeAt(page, { place }, key, text) {
  await page.click(place);
  await page.keyboard.press(key);
  await page.keyboard.type(text);
}

// In place of the character before the end of the text: as a keyboard does, an input method, and from the clipboard.
const ways = {
  typed: (page, cdp, text) => cdp.send('Input.insertText', { text }),
  composed: async (page, cdp, text) => {
    await cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await cdp.send('Input.insertText', { text });
  },
  pasted: async (page, cdp, text) => {
    await page.evaluate(text => navigator.clipboard.writeText(text), text);
    await page.keyboard.press('Control+v');
  },
};

async function replaceLast(page, how, text) {
  const cdp = await page.context().newCDPSession(page);

  await page.keyboard.press('Control+End');
  await page.keyboard.press('Shift+ArrowLeft');
  await ways[how](page, cdp, text);
}

// 😀 and 😁 share the first of their two UTF-16 units, 🔖 and 🤖 the second.
const replacements = [
  ['typed', '😁'], ['composed', '😀'], ['pasted', '😁'],
  ['typed', '🔖'], ['typed', '🤖'], ['pasted', '🔖'], ['composed', '🤖'],
];

for (const [client, editor] of Object.entries(editors))
  test(client, async t => {
    const [ink, paper] = await openTwo(t, client);

    await t.test('both type at once', async () => {
      await typeAt(ink, editor, 'Control+Home', '; ');
      await agree(client, `; ${editor.end}`, ink, paper);
      await Promise.all([typeAt(ink, editor, 'Control+Home', 'ink wrote this'), typeAt(paper, editor, 'Control+End', 'paper that.')]);
      await agree(client, `ink wrote this; paper that.${editor.end}`, ink, paper);
    });

    await t.test('what is written while the line is cut arrives', async () => {
      await cut(ink);
      await Promise.all([typeAt(ink, editor, 'Control+Home', 'Offline, '), typeAt(paper, editor, 'Control+End', ' 😀')]);
      await agree(client, `Offline, ink wrote this; paper that. 😀${editor.end}`, ink, paper);
    });

    await t.test('one emoji in place of another', async () => {
      for (const [how, emoji] of replacements) {
        await replaceLast(paper, how, emoji);
        await agree(client, `Offline, ink wrote this; paper that. ${emoji}${editor.end}`, ink, paper);
      }
      await picture(ink, `client-${client}`);
    });

    if (editor.hasOwnUndo)
      await t.test('undo takes back only one\'s own', async () => {
        const text = await served(client);

        await typeAt(ink, editor, 'Control+Home', 'ink errs. ');
        await agree(client, `ink errs. ${text}`, ink, paper);
        await typeAt(paper, editor, 'Control+Home', 'paper does not. ');
        await agree(client, `paper does not. ink errs. ${text}`, ink, paper);
        await ink.keyboard.press('Control+z');
        await until(async () => !(await shown(ink)).includes('errs'), 'it is taken back');
        assert.match(await shown(ink), /^paper does not\. /);
        await agree(client, await shown(ink), ink, paper);
      });

    if (editor.hasCarets)
      await t.test('carets: seen by the other, moved by what is typed before, gone with the page', async () => {
        await seesCaret(ink, 'paper');
        const before = await ink.locator('.caret').boundingBox();

        await typeAt(ink, editor, 'Control+Home', 'On a train, ');
        await until(async () => (await ink.locator('.caret').boundingBox())?.x > before.x + 20, 'the caret moves');
        await picture(ink, `client-${client}-caret`);
        // sharedb's client puts off what it is told for a version that its own edits have passed, here until the next edit.
        await until(() => isSettled(ink), 'what ink wrote has arrived');
        await paper.close();
        await until(async () => (await ink.locator('.caret').count()) === 0, 'the caret goes');
      });
  });

const seesCaret = (page, name) => until(async () => (await page.locator(`.caret[title=${name}]`).count()) === 1, `the caret of ${name}`);

async function add(page, name) {
  await page.fill('[name=name]', name);
  await page.keyboard.press('Enter');
}

const list = id => fetch(`${server.url}/v1/docs/clients/${id}`).then(answer => answer.json());
const buttons = page => page.locator('#list button').allInnerTexts();

test('json0: two people vote', async t => {
  const [ink, paper] = await openTwo(t, 'json0');

  await Promise.all([add(ink, 'ink'), add(paper, 'paper')]);
  await until(async () => (await buttons(ink)).length === 2 && (await buttons(paper)).length === 2, 'both names on both pages');
  for (let i = 0; i < 5; i++) await Promise.all([ink.click('text=/^ink/'), paper.click('text=/^ink/')]);
  await paper.click('text=/^paper/');
  for (const page of [ink, paper]) await until(async () => (await buttons(page)).sort().join() === 'ink: 10,paper: 1', 'every vote counts');
  assert.deepEqual((await list('json0')).things.sort((a, b) => b.votes - a.votes), [{ name: 'ink', votes: 10 }, { name: 'paper', votes: 1 }]);
});

// At once: a mouse that takes aim may find that the list has moved.
const press = (page, name) =>
  page.evaluate(name => [...document.querySelectorAll('#list button')].find(({ textContent }) => textContent === name).click(), name);

test('json1: two people sort', async t => {
  const [ink, paper] = await openTwo(t, 'json1');
  const order = names => Promise.all([ink, paper].map(page => until(async () => (await buttons(page)).join() === names, names)));

  for (const name of ['a', 'b', 'c', 'd']) {
    await add(ink, name);
    await until(async () => (await buttons(paper)).includes(name), name);
  }
  await press(paper, 'c');
  await order('c,a,b,d');
  await Promise.all([press(ink, 'd'), press(paper, 'b')]);
  await until(async () => (await buttons(ink)).slice(0, 2).sort().join() === 'b,d', 'both are above');
  await order((await list('json1')).things.map(({ name }) => name).join());
});

test('names: who else is in the room', async t => {
  const [ink, paper] = await openTwo(t, 'codemirror', 'names');
  const names = page => page.evaluate(() => window.client.names?.join());

  await until(async () => (await names(ink)) === 'paper' && (await names(paper)) === 'ink', 'each sees the other');
  await paper.close();
  await until(async () => (await names(ink)) === '', 'nobody is left');
});

test('Quill 1.3 without whole-characters.js: half an emoji is refused, the text can be kept, and the page goes on', async t => {
  const ink = await openPage(t, 'ink', 'quill-1-bare', 'bare', { complaints: /does not fit/ });
  const paper = await openPage(t, 'paper', 'quill-1', 'bare');

  await typeAt(ink, editors.quill, 'Control+Home', 'Robots ');
  await ink.keyboard.insertText('🔖');
  await agree('bare', 'Robots 🔖\n', ink, paper);
  await replaceLast(ink, 'typed', '🤖');
  await until(async () => (await refusals(ink)).length > 0, 'it is refused');
  assert.deepEqual(await refusals(ink), [{ code: 'ERR_OT_OP_NOT_APPLIED', text: 'Robots 🤖\n' }]);
  await ink.evaluate(() => (window.client.refusals.length = 0));
  await agree('bare', 'Robots 🔖\n', ink, paper);
  await typeAt(ink, editors.quill, 'Control+Home', 'No ');
  await agree('bare', 'No Robots 🔖\n', ink, paper);
});

// The line is in the hands of the test: what the server says on the sockets that are there by then is thrown away once it is
// deafened. One that comes later hears, however soon it comes.
async function tapped(page) {
  const line = { addresses: [], nDeaf: 0, deafen: () => (line.nDeaf = line.addresses.length) };

  await page.routeWebSocket(/\/v1\/ws/, socket => {
    const upstream = socket.connectToServer();
    const n = line.addresses.push(socket.url());

    upstream.onMessage(text => n <= line.nDeaf || socket.send(text));
  });
  return line;
}

test('what waits survives a reload and arrives once, though the server has some of it already', async t => {
  let line;
  const ink = await openPage(t, 'ink', 'textarea', 'reload', { prepare: async page => (line = await tapped(page)) });

  await ink.focus('textarea');
  line.deafen();
  await ink.keyboard.type('committed, ');
  await until(async () => (await served('reload')) !== '', 'the server has it');
  await ink.keyboard.type('not yet sent');
  assert.notEqual(await served('reload'), 'committed, not yet sent');
  await ink.reload();
  await ink.waitForSelector('html[data-state=ready]');
  await agree('reload', 'committed, not yet sent', ink);
});

test('each new socket goes to the address of its moment: a fresh token, and nothing that waits is lost', async t => {
  let line;
  const ink = await openPage(t, 'ink', 'textarea', 'token', { prepare: async page => (line = await tapped(page)) });

  await ink.focus('textarea');
  line.deafen();
  await ink.keyboard.type('It waits.');
  await ink.evaluate(() => sessionStorage.setItem('token', 'fresh'));
  await cut(ink);
  await agree('token', 'It waits.', ink);
  assert.deepEqual(line.addresses.map(address => new URL(address).searchParams.get('access_token')), ['', 'fresh']);
});

test('somebody else logs in: what waits goes along, over a new connection', async t => {
  let line;
  const ink = await openPage(t, 'ink', 'textarea', 'login', { prepare: async page => (line = await tapped(page)) });
  const ids = () => ink.evaluate(() => window.client.connection.id);
  const before = await ids();

  await ink.focus('textarea');
  await ink.keyboard.type('It is there; ');
  await agree('login', 'It is there; ', ink);
  await ink.evaluate(() => window.client.doc.pause());
  await ink.keyboard.type('it waits.');
  await ink.evaluate(() => sessionStorage.setItem('token', 'other'));
  await ink.evaluate(() => window.client.logIn());
  await agree('login', 'It is there; it waits.', ink);
  assert.notEqual(await ids(), before);
  assert.deepEqual(line.addresses.map(address => new URL(address).searchParams.get('access_token')), ['', 'other']);
});
