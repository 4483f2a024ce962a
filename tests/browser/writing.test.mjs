// One's own caret, view, undo and input method, while somebody else is at work.
import assert from 'node:assert/strict';
import test from 'node:test';
import { agreed, goToLine, house, isSaved, put, served, shown, until } from './browser.mjs';

const lines = (n, what) => Array.from({ length: n }, (_, i) => `${what} ${i + 1}\n`).join('');

// The first line in view and where it stands, and the same of the selection.
const view = page =>
  page.evaluate(() => {
    const scroller = document.querySelector('.cm-scroller').getBoundingClientRect();
    const first = [...document.querySelectorAll('.cm-line')].find(line => line.getBoundingClientRect().bottom > scroller.top + 1);
    const selection = getSelection();
    const range = selection.getRangeAt(0).getBoundingClientRect();

    return {
      first: first.textContent,
      firstAt: Math.round(first.getBoundingClientRect().top - scroller.top),
      selected: selection.toString(),
      caretLine: selection.focusNode?.parentElement?.closest('.cm-line')?.textContent ?? '',
      caretAt: Math.round(range.top - scroller.top),
    };
  });

function assertSameView(after, before) {
  // At the very top there was a margin, in which lines may be seen now.
  if (before.firstAt <= 0) {
    assert.equal(after.first, before.first);
    assert.ok(Math.abs(after.firstAt - before.firstAt) <= 2, `first line moved from ${before.firstAt} to ${after.firstAt}`);
  }
  assert.equal(after.selected, before.selected);
  assert.equal(after.caretLine, before.caretLine);
  assert.ok(Math.abs(after.caretAt - before.caretAt) <= 2, `caret moved from ${before.caretAt} to ${after.caretAt}`);
}

// Text put in by another person's page, at the beginning of the document.
async function insertAbove(page, text) {
  await page.focus('.cm-content');
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText(text);
  await isSaved(page);
}

for (const [where, nDown] of [
  ['deep in a long document', 240],
  ['at the very top', 0],
])
  test(`a thousand lines from somebody else move neither caret nor view: ${where}`, async t => {
    const { server, open } = await house(t);
    const path = `notes/view-${nDown}`;

    await put(server, path, lines(300, 'line'));
    const [one, two] = [await open(path), await open(path)];

    await one.focus('.cm-content');
    for (let i = 0; i < nDown; i++) await one.keyboard.press('ArrowDown');
    await one.keyboard.press('ArrowRight');
    await one.keyboard.down('Shift');
    for (let i = 0; i < 3; i++) await one.keyboard.press('ArrowRight');
    await one.keyboard.up('Shift');
    await one.waitForTimeout(200);
    const before = await view(one);

    assert.equal(before.selected, 'ine');
    await insertAbove(two, lines(1000, 'above'));
    await until(async () => (await one.textContent('#measure')).length > 0 && (await served(server, path)).startsWith('above'), 'the lines are there');
    for (let i = 0; i < 20; i++) await two.keyboard.insertText(`more ${i}\n`);
    await isSaved(two);
    await one.waitForTimeout(500);
    assertSameView(await view(one), before);
    await one.keyboard.type('INE');
    await isSaved(one);
    assert.match(await served(server, path), new RegExp(`^lINE ${nDown + 1}$`, 'm'));
  });

test('a reader who has scrolled away from the caret keeps the place, too', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/reader', lines(400, 'line'));
  const [one, two] = [await open('notes/reader'), await open('notes/reader')];

  await one.evaluate(() => (document.querySelector('.cm-scroller').scrollTop = 6000));
  await one.waitForTimeout(300);
  const before = await view(one);

  await insertAbove(two, lines(1000, 'above'));
  await two.keyboard.press('Control+End');
  await two.keyboard.insertText('below\n');
  await isSaved(two);
  await one.waitForTimeout(500);
  const after = await view(one);

  assert.equal(after.first, before.first);
  assert.ok(Math.abs(after.firstAt - before.firstAt) <= 2);
});

test('undo takes back only what oneself has written', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/undo', 'one:\ntwo:');
  const [one, two] = [await open('notes/undo'), await open('notes/undo')];

  await goToLine(one, 1);
  await one.keyboard.type(' mine');
  await isSaved(one);
  await goToLine(two, 2);
  await two.keyboard.type(' theirs');
  await isSaved(two);
  await until(async () => (await shown(one)).includes('theirs'), 'the other edit has come');
  for (let i = 0; i < 20; i++) await one.keyboard.press('Control+z');
  assert.equal(await agreed(server, 'notes/undo', one, two), 'one:\ntwo: theirs');
  for (let i = 0; i < 20; i++) await one.keyboard.press('Control+y');
  assert.equal(await agreed(server, 'notes/undo', one, two), 'one: mine\ntwo: theirs');
});

test('an input method is left in peace until it has finished', async t => {
  const { server, open } = await house(t);

  await put(server, 'notes/ime', 'above\nhere: \nbelow');
  const [one, two] = [await open('notes/ime'), await open('notes/ime')];
  const devtools = await one.context().newCDPSession(one);
  const compose = text => devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });

  await goToLine(one, 2);
  await compose('に');
  await compose('にほ');
  await goToLine(two, 1);
  await two.keyboard.type(' (other line)');
  await isSaved(two);
  await until(async () => (await shown(one)).startsWith('above (other line)'), 'other lines are shown at once');
  await goToLine(two, 2);
  await two.keyboard.type('(same line)');
  await isSaved(two);
  await one.waitForTimeout(300);
  assert.equal(await shown(one), 'above (other line)\nhere: にほ\nbelow', 'the line of the composition waits');
  await compose('にほん');
  await devtools.send('Input.insertText', { text: '日本' });
  const text = await agreed(server, 'notes/ime', one, two);

  assert.match(text, /^above \(other line\)\nhere: (日本\(same line\)|\(same line\)日本)\nbelow$/);
});

test('emoji: typed, replaced, deleted by whole characters', async t => {
  const { server, open } = await house(t);
  const [one, two] = [await open('notes/emoji'), await open('notes/emoji')];

  await one.focus('.cm-content');
  await one.keyboard.insertText('😀👍🏽👩‍👩‍👧!');
  await agreed(server, 'notes/emoji', one, two);
  await one.keyboard.press('ArrowLeft');
  await one.keyboard.press('Backspace');
  await two.focus('.cm-content');
  await two.keyboard.press('Control+Home');
  await two.keyboard.press('Delete');
  await two.keyboard.insertText('😁');
  assert.equal(await agreed(server, 'notes/emoji', one, two), '😁👍🏽!');
});

test('a paste of several megabytes arrives whole', async t => {
  const { server, open } = await house(t, { permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await open('notes/paste');
  const text = 'Zwölf Boxkämpfer jagen Viktor 😀\r\n'.repeat(100_000);

  await page.focus('.cm-content');
  await page.evaluate(text => {
    const data = new DataTransfer();

    data.setData('text/plain', text);
    document.querySelector('.cm-content').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
  await page.waitForSelector('#status[data-state="saving"]', { timeout: 5000 }).catch(() => {});
  await isSaved(page);
  assert.equal(await served(server, 'notes/paste'), text.replaceAll('\r\n', '\n'));
});

test('a large selection is indented, though that is more than one operation may hold', async t => {
  const { server, open } = await house(t);
  const text = 'x\n'.repeat(60_000);

  await put(server, 'notes/indent', text);
  const page = await open('notes/indent');

  await page.focus('.cm-content');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Tab');
  await until(async () => (await served(server, 'notes/indent')) === text.replaceAll('x', '  x'), 'it is all there');
  await isSaved(page);
  assert.equal(await page.locator('.notice').count(), 0);
});

test('a deleted document says so and can be brought back', async t => {
  const { server, open } = await house(t);
  const [one, two] = [await open('notes/gone'), await open('notes/gone')];

  await one.focus('.cm-content');
  await one.keyboard.type('still here');
  await agreed(server, 'notes/gone', one, two);
  assert.equal((await fetch(`${server.url}/v1/docs/notes/gone`, { method: 'DELETE' })).status, 204);
  await one.waitForSelector('#status[data-state="deleted"]');
  await one.keyboard.type('ignored');
  assert.equal(await shown(one), 'still here');
  await one.click('text=Bring it back');
  assert.equal(await agreed(server, 'notes/gone', one, two), 'still here');
  await two.focus('.cm-content');
  await two.keyboard.press('Control+End');
  await two.keyboard.type('!');
  assert.equal(await agreed(server, 'notes/gone', one, two), 'still here!');
});
