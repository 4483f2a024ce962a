// Every text on every page can be read: WCAG's 4.5 to 1, in light and in dark, selected, found, or under the pointer.
import assert from 'node:assert/strict';
import test from 'node:test';
import { house, isInState, put } from './browser.mjs';
import { faults } from './contrast.mjs';

const text = '# Heading\n\n> A quote with **strong**, _emphasis_ and `code`\n\n- https://example.org and \u200e a sign\n- quote\n';

// Everybody's colour at once, as a list, as a caret's name, and as a selection under all that a text is made of.
function crowd() {
  const one = (tag, className, text = '') => Object.assign(document.createElement(tag), { className, textContent: text });

  for (let n = 0; n < 8; n++) {
    const caret = one('div', `caret is-fresh person-${n}`);
    const range = one('div', `caret-range person-${n}`);

    caret.append(one('span', '', `name ${n}`));
    for (const look of ['cm-line', 'prose-mark', 'prose-quote', 'prose-code', 'prose-link', 'cm-specialChar', 'cm-placeholder']) range.append(one('span', look, `${look} ${n}`));
    document.querySelector('.cm-scroller').append(caret, range);
    document.querySelector('.bar').append(one('span', `initial person-${n}`, `${n}`));
  }
}

async function hovered(page, selector) {
  const all = [];

  for (const element of await page.locator(selector).all()) {
    if (!(await element.isVisible())) continue;
    await element.hover();
    all.push(...(await page.evaluate(faults, 4.5)));
  }
  return all;
}

for (const colorScheme of ['light', 'dark'])
  test(`all text has contrast: ${colorScheme}`, async t => {
    const { server, open, visit } = await house(t, { colorScheme, reducedMotion: 'reduce' });
    const found = [];
    const look = async page => found.push(...(await page.evaluate(faults, 4.5)));

    await put(server, 'notes/contrast', text);
    const page = await open('notes/contrast');

    await look(page);
    found.push(...(await hovered(page, '.bar button, .bar a, .foot button')));
    await page.click('[popovertarget=menu]');
    found.push(...(await hovered(page, '#menu label, #menu a, #menu button')));
    await page.click('#find');
    await page.keyboard.type('o');
    await page.waitForSelector('.cm-searchMatch');
    await page.keyboard.press('Enter');
    await look(page);
    found.push(...(await hovered(page, '.cm-panel button, .cm-panel label')));
    for (const query of ['quote', '**', '#', '_']) {
      await page.fill('.cm-search [name=search]', '');
      await page.keyboard.type(query);
      await page.keyboard.press('Enter');
      await page.waitForSelector('.cm-searchMatch-selected');
      await look(page);
    }
    await page.keyboard.press('Escape');
    await page.click('#name-button');
    await look(page);
    await page.keyboard.press('Escape');
    await page.click('#help-button');
    await look(page);
    await page.keyboard.press('Escape');
    await page.click('#share');
    await look(page);
    await fetch(`${server.url}/v1/docs/notes/contrast`, { method: 'DELETE' });
    await isInState(page, 'deleted');
    found.push(...(await hovered(page, '.notice button')));
    await page.click('text=Bring it back');
    await page.waitForSelector('#status[data-state=saved]');
    const other = await open('notes/contrast');

    await page.click('#people-button');
    found.push(...(await hovered(page, '#people button')));
    await page.keyboard.press('Escape');
    await other.context().close();
    await page.click('.cm-content');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.waitForSelector('.cm-placeholder');
    await look(page);
    await server.kill();
    await isInState(page, 'offline');
    await page.evaluate(crowd);
    await look(page);
    await server.restart();
    const start = await visit('/');

    await start.waitForSelector('#all-list li');
    await look(start);
    found.push(...(await hovered(start, 'button, .row-link, .segments label')));
    assert.deepEqual([...new Set(found)].sort(), []);
  });
