// Other people's carets: whose they are, where they stand, and that none stays behind.
import assert from 'node:assert/strict';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { agreed, goToLine, house, isInState, isSaved, picture, put, until } from './browser.mjs';

const colors = { colorScheme: 'light', reducedMotion: 'reduce' };

// The carets that a page shows, as { name: text of the line before the caret }, read off the pixels that it draws.
const carets = page =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('.caret')].map(caret => {
        const { left, top, height } = caret.getBoundingClientRect();
        const lines = [...document.querySelectorAll('.cm-line')];
        const line = lines.find(line => line.getBoundingClientRect().top <= top + height / 2 && line.getBoundingClientRect().bottom >= top + height / 2);
        const range = document.createRange();
        const edge = node => {
          for (let at = 0; at <= node.length; at++) {
            range.setStart(node, at);
            range.collapse(true);
            const box = range.getBoundingClientRect();

            if (Math.abs(box.left - left - 1) < 2 && Math.abs(box.top - top) < 8) return at;
          }
          return -1;
        };
        const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        let before = '';

        while (texts.nextNode()) {
          const at = edge(texts.currentNode);

          if (at >= 0) return [caret.textContent, before + texts.currentNode.data.slice(0, at)];
          before += texts.currentNode.data;
        }
        return [caret.textContent, line.textContent === '' ? '' : '?'];
      }),
    ),
  );

const ranges = page => page.locator('.caret-range').count();

// Until the page shows exactly these.
async function showsCarets(page, expected) {
  let found;

  await until(async () => isDeepStrictEqual((found = await carets(page)), expected), `carets ${JSON.stringify(expected)}`).catch(() =>
    assert.deepEqual(found, expected),
  );
}

test('a caret has a name and a colour, and goes along with the text', async t => {
  const { server, open } = await house(t, colors);

  await put(server, 'notes/carets', '😀 one\ntwo 👍🏽 here\nthree');
  const [ink, paper] = [await open('notes/carets', { name: 'ink' }), await open('notes/carets', { name: 'paper' })];

  await goToLine(ink, 2);
  for (let i = 0; i < 5; i++) await ink.keyboard.press('ArrowLeft');
  await showsCarets(paper, { ink: 'two 👍🏽' });
  await showsCarets(ink, { paper: '' });
  const look = page => page.$eval('.caret', caret => [getComputedStyle(caret).borderLeftColor, getComputedStyle(caret.firstChild).backgroundColor]);
  const [line, flag] = await look(paper);

  assert.equal(line, flag);
  assert.notEqual(line, (await look(ink))[0], 'another colour for another person');
  await paper.waitForSelector('.caret:not(.is-fresh)', { state: 'attached' });
  assert.equal(await paper.$eval('.caret span', element => getComputedStyle(element).opacity), '0', 'the name goes away');
  const box = await paper.locator('.caret').boundingBox();

  await paper.mouse.move(box.x + 3, box.y + 5);
  assert.equal(await paper.$eval('.caret span', element => getComputedStyle(element).opacity), '1', 'and is there under the pointer');
  await goToLine(paper, 1);
  await paper.keyboard.insertText(' 🎈🎈\nand');
  await agreed(server, 'notes/carets', ink, paper);
  await goToLine(paper, 3);
  await paper.keyboard.press('Home');
  await paper.keyboard.insertText('👩‍👩‍👧 ');
  await showsCarets(paper, { ink: '👩‍👩‍👧 two 👍🏽' });
  await showsCarets(ink, { paper: '👩‍👩‍👧 ' });
});

test('a selection is shown, whoever comes later sees all of it, and a new name is shown at once', async t => {
  const { server, open } = await house(t, colors);

  await put(server, 'notes/selected', 'one\ntwo\nthree');
  const ink = await open('notes/selected', { name: 'ink' });

  await goToLine(ink, 2);
  await ink.keyboard.press('Shift+Control+End');
  await goToLine(ink, 2);
  await ink.keyboard.press('Shift+ArrowLeft');
  await ink.keyboard.press('Shift+ArrowLeft');
  const other = await open('notes/selected', { name: 'other' });

  await goToLine(other, 1);
  await other.keyboard.insertText('! 😀😀');
  await agreed(server, 'notes/selected', ink, other);
  const late = await open('notes/selected'); // long after the last word of the others

  await showsCarets(late, { ink: 't', other: 'one! 😀😀' });
  assert.equal(await ranges(late), 1);
  await until(async () => (await ranges(other)) === 1, 'the selection is shown');
  await ink.waitForSelector('#people-button[aria-label="Also here: Guest, other"]');
  await late.click('#people-button');
  assert.deepEqual(await late.locator('#people .person-name').allTextContents(), ['Guest', 'ink', 'other']);
  await picture(late, 'people');
  await late.click('#people button');
  await late.fill('#name-input', 'Zoë 😀');
  await late.click('#name-dialog button[value=save]');
  await showsCarets(ink, { other: 'one! 😀😀', 'Zoë 😀': '' });
});

test('no caret stays behind: closed, off line, killed', async t => {
  const { server, open } = await house(t, colors);

  await put(server, 'notes/ghosts', 'one\ntwo');
  const [one, two, three] = [await open('notes/ghosts', { name: 'one' }), await open('notes/ghosts', { name: 'two' }), await open('notes/ghosts', { name: 'three' })];

  await goToLine(one, 2);
  await showsCarets(two, { one: 'two', three: '' });
  await three.context().close();
  await showsCarets(two, { one: 'two' });
  await server.kill();
  await isInState(two, 'offline');
  await showsCarets(two, {});
  assert.ok(await two.isHidden('#people-button'));
  await goToLine(one, 1);
  await one.keyboard.type(' moved');
  await server.restart();
  await agreed(server, 'notes/ghosts', one, two);
  await showsCarets(two, { one: 'one moved' });
  await showsCarets(one, { two: '' });
});

test('while all type, and at rest: every page has every caret where its owner has it', async t => {
  const { server, open } = await house(t, colors);
  const names = ['ink', 'paper', 'quill'];

  await put(server, 'notes/all', 'a: 😀\nb: 😀\nc: 😀');
  const pages = [];

  for (const name of names) pages.push(await open('notes/all', { name }));
  for (const [i, page] of pages.entries()) await goToLine(page, i + 1);
  await Promise.all(
    pages.map(async (page, i) => {
      for (let n = 0; n < 25; n++) {
        await page.keyboard.insertText(['x', '😀', '\n', 'yz'][(n + i) % 4]);
        if (n % 6 === 5) await page.keyboard.press('ArrowUp');
        if (n % 5 === 4) await page.keyboard.press('Backspace');
        if (n % 7 === 6) await page.keyboard.press('ArrowLeft');
      }
    }),
  );
  await agreed(server, 'notes/all', ...pages);
  // Each says where it is by what it writes there, and by then sees the others.
  for (const [i, page] of pages.entries()) {
    await page.keyboard.insertText(`<${names[i]}>`);
    await isSaved(page);
  }
  const text = await agreed(server, 'notes/all', ...pages);
  const lineTo = mark => text.slice(0, text.indexOf(mark) + mark.length).split('\n').at(-1);

  for (const page of pages)
    await until(async () => {
      const shown = await carets(page);

      return names.every((name, i) => page === pages[i] || shown[name] === lineTo(`<${name}>`)) && Object.keys(shown).length === 2;
    }, `all carets on the page of ${names[pages.indexOf(page)]}: ${JSON.stringify(await carets(page))} in ${JSON.stringify(text)}`);
});

test('at the edge of a narrow page a name turns to the other side, and nothing sticks out', async t => {
  const { server, open } = await house(t, { ...colors, viewport: { width: 320, height: 568 }, hasTouch: true });

  await put(server, 'notes/edge', `${'long '.repeat(200)}\nend`);
  const [one, two] = [await open('notes/edge', { name: 'a very long name indeed, one that has no end' }), await open('notes/edge', { name: 'two' })];

  await one.focus('.cm-content');
  await one.keyboard.press('Control+Home');
  await one.keyboard.press('ArrowDown');
  await one.keyboard.press('End');
  await one.keyboard.press('ArrowLeft');
  await two.waitForSelector('.caret.is-flipped', { state: 'attached' });
  assert.ok(await two.evaluate(() => document.querySelector('.cm-scroller').scrollWidth <= innerWidth && document.documentElement.scrollWidth <= innerWidth));
  assert.ok((await two.locator('.caret span').boundingBox()).x >= 0);
  await picture(two, 'caret-narrow');
});
