// The demonstrations: two windows, one document, and each of the four ways in which one can be told of the other.
import assert from 'node:assert/strict';
import test, { after, describe } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { tokenFile } from '../lib/tokens.mjs';
import { house, picture, until, visit as visitAt } from './browser.mjs';
import { faults } from './contrast.mjs';

const ways = ['polling', 'long-polling', 'events', 'websocket'];
const names = ['auction', 'chat', 'dashboard', 'transcript', 'game'];
// The browser writes down every answer that is no success, also those that are awaited: no document yet, a `test` that failed,
// a stream whose server was killed.
const refusals = /status of (404|409|412)|ERR_INCOMPLETE_CHUNKED_ENCODING/;

const { server, browser, visit } = await house({ after }, { server: { args: ['--demos'] }, complaints: refusals, reducedMotion: 'reduce' });

// Ready: it shows what the document holds.
async function enter(name, way, options) {
  const page = await visit(`/demos/${name}?way=${way}`, options);

  await page.waitForSelector(`html[data-way="${way.split('&')[0]}"]`);
  return page;
}

async function choose(page, way) {
  await page.click(`label:has([value="${way}"])`);
  if (way === 'polling') await page.click('label:has([value="1000"])');
  await page.waitForSelector(`html[data-way="${way}"]`);
}

const shows = (page, selector, text) => page.waitForFunction(([selector, text]) => document.querySelector(selector)?.textContent.includes(text), [selector, text]);
const stored = async name => (await fetch(`${server.url}/v1/docs/demos/${name}`)).json();
const coinsOn = page => page.locator('.coin').evaluateAll(list => list.map(({ id, transform: { baseVal } }) => ({ id, x: baseVal[0].matrix.e, y: baseVal[0].matrix.f })));
const place = (page, who) => page.locator(who).evaluate(({ transform: { baseVal } }) => ({ x: baseVal[0].matrix.e, y: baseVal[0].matrix.f }));

const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

async function nearest(page) {
  const at = await place(page, '.is-me');

  return (await coinsOn(page)).sort((a, b) => distance(a, at) - distance(b, at))[0];
}

// Its polls get no answer, until the function that is returned is called.
async function blind(page, name) {
  const held = [];
  let isBlind = true;

  await page.route(`**/v1/docs/demos/${name}`, route => void (isBlind && route.request().method() === 'GET' ? held.push(route) : route.continue()));
  return async () => {
    isBlind = false;
    await Promise.all(held.map(route => route.continue()));
  };
}

// Presses on the field and stays there until it has an effect.
async function goTo(page, { x, y }, hasHappened) {
  const box = await page.locator('#field').boundingBox();

  await page.mouse.move(box.x + (x / 100) * box.width, box.y + (y / 75) * box.height);
  await page.mouse.down();
  await hasHappened();
  await page.mouse.up();
}

test('without --demos there are none', async t => {
  const bare = await startServer(t);

  assert.equal((await fetch(`${bare.url}/demos`)).status, 404);
  assert.doesNotMatch(await (await fetch(`${bare.url}/`)).text(), /demos/);
  assert.equal((await fetch(`${server.url}/demos`)).url, `${server.url}/demos/`);
  for (const path of ['', 'auction', 'game']) {
    assert.equal((await fetch(`${bare.url}/demos/${path}`)).status, 404);
    const answer = await fetch(`${server.url}/demos/${path}`);

    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('Content-Security-Policy'), /default-src 'none'.*script-src 'self';/);
    assert.doesNotMatch(await answer.text(), /<script>|<style|onclick=|style="/);
  }
});

test('where the server wants tokens they say so, and show nothing', async t => {
  const guarded = await startServer(t, { args: ['--demos', ...tokenFile(t).args] });
  const page = await visitAt(t, browser, `${guarded.url}/demos/auction?way=events`, { complaints: /status of 401/ });

  await shows(page, '#lost', 'wants tokens');
  for (const selector of ['#every', '#demo', '#next']) assert.equal(await page.isVisible(selector), false, selector);
  await page.close();
});

test('the start page leads to them, and they lead back', async () => {
  const page = await visit('/');

  await page.click('text=Demonstrations');
  await page.click('text=Auction');
  await page.waitForURL(`${server.url}/demos/auction**`);
  await page.click('.home');
  await page.waitForURL(`${server.url}/demos/`);
  await page.click('.home');
  await page.waitForURL(`${server.url}/`);
  await page.close();
});

// What is done in one window is seen in the other, whichever way that is told.
function follows(name, act) {
  test('what one does another sees, by each of the four ways', async () => {
    const [doer, seer] = await Promise.all([enter(name, 'events', { name: 'ink' }), enter(name, 'websocket', { name: 'paper' })]);

    for (const [i, way] of ways.entries()) {
      await choose(seer, way);
      await shows(seer, ...(await act(doer, i + 1)));
      await until(async () => /\d/.test(await seer.textContent('#latency')), `how long it took: ${way}`);
      assert.match(await seer.textContent('#requests'), way === 'websocket' || way === 'events' ? /^1$/ : /^([2-9]|\d\d)$/);
      await picture(seer, `demo-${name}-${way}`);
    }
    await Promise.all([doer.close(), seer.close()]);
  });
}

// What is done, and where it must be seen.
const deeds = {
  auction: async page => {
    await page.click('#bid button');
    await shows(page, '#verdict', 'is the highest');
    return ['#highest', `€ ${(await stored('auction')).highest}`];
  },
  chat: async (page, n) => {
    await page.fill('#text', `message ${n}`);
    await page.keyboard.press('Enter');
    return ['#messages li:last-child', `message ${n}`];
  },
  transcript: async (page, n) => {
    await page.fill('#words', '');
    await page.focus('#words');
    await page.keyboard.type(`some words${n} `);
    return ['#lines', `some words${n} `];
  },
  game: async page => {
    const coin = await nearest(page);

    await goTo(page, coin, () => page.waitForSelector(`#${coin.id}`, { state: 'detached' }));
    return ['#score b', await page.textContent('#score b')];
  },
};

// Each has a document of its own, and mostly they wait; so two at once.
describe('two windows', { concurrency: 2 }, () => {
  describe('auction', { concurrency: 1 }, () => {
    follows('auction', deeds.auction);

    test('of two who bid at once one is refused, and sees the new price', async () => {
      const [quick, slow] = [await enter('auction', 'websocket', { name: 'ink' }), await enter('auction', 'polling', { name: 'paper' })];
      const see = await blind(slow, 'auction');
      const { highest } = await stored('auction');

      await quick.click('#bid button');
      await shows(quick, '#verdict', `€ ${highest + 5} is the highest`);
      await slow.evaluate(() => document.querySelector('#bid button').click());
      await shows(slow, '#verdict', 'Refused');
      await see();
      await shows(slow, '#highest', `€ ${highest + 5}`);
      const { bids, ...auction } = await stored('auction');

      assert.equal(auction.highest, highest + 5);
      assert.deepEqual(bids[0], { name: 'ink', amount: highest + 5 });
      await picture(slow, 'demo-auction-refused');
      await Promise.all([quick.close(), slow.close()]);
    });
  });

  describe('chat', { concurrency: 1 }, () => {
    follows('chat', deeds.chat);

    test('a chat counts in its title what was not read, notifies, and forgets what is old', async () => {
      const prepare = page => page.addInitScript(() => {
        window.notified = [];
        window.Notification = class {
          static permission = 'default';
          static requestPermission = async () => (this.permission = 'granted');
          constructor(title, { body }) {
            window.notified.push(`${title}: ${body}`);
          }
        };
      });
      const [reader, writer] = [await enter('chat', 'events', { prepare }), await enter('chat', 'events', { name: 'ink' })];
      const hide = isHidden => reader.evaluate(isHidden => {
        Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
      const say = async text => {
        await writer.fill('#text', text);
        await writer.keyboard.press('Enter');
        await shows(reader, '#messages li:last-child', text);
      };

      await reader.click('#notify');
      await shows(reader, '#notify-note', 'You are notified');
      await say('seen');
      assert.equal(await reader.title(), 'Chat ¶ Pilcrow');
      await hide(true);
      await say('one');
      await say('two');
      assert.equal(await reader.title(), '(2) Chat ¶ Pilcrow');
      assert.deepEqual(await reader.evaluate(() => window.notified), ['ink: one', 'ink: two']);
      await hide(false);
      assert.equal(await reader.title(), 'Chat ¶ Pilcrow');

      const many = Array.from({ length: 100 }, (_, i) => ({ id: `m${i}`, from: 'm', name: 'paper', text: `old ${i}`, at: 0 }));

      await fetch(`${server.url}/v1/docs/demos/chat`, { method: 'PUT', headers: { 'Content-Type': 'application/json', 'If-Match': '*' }, body: JSON.stringify({ messages: many }) });
      await shows(writer, '#messages', 'old 99');
      await say('new');
      const { messages } = await stored('chat');

      assert.equal(messages.length, 100);
      assert.deepEqual([messages[0].text, messages.at(-1).text], ['old 1', 'new']);
      await Promise.all([reader.close(), writer.close()]);
    });
  });

  describe('dashboard', { concurrency: 1 }, () => {
    test('one window measures, the others follow, and when it goes another takes over', async () => {
      const leader = await enter('dashboard', 'events');

      await shows(leader, '#leader', 'This window measures');
      const follower = await enter('dashboard', 'websocket');

      await shows(follower, '#leader', 'Another window');
      for (const way of ways) {
        await choose(follower, way);
        await until(async () => /\d/.test(await follower.textContent('#latency')), `news of the figures: ${way}`);
      }
      assert.ok(await follower.locator('.chart polyline').evaluateAll(lines => lines.length >= 4 && lines.every(line => line.points.numberOfItems > 1)));
      await picture(follower, 'demo-dashboard-websocket');
      const { leader: before } = await stored('dashboard');

      await leader.goto('about:blank');
      await shows(follower, '#leader', 'This window measures');
      assert.notEqual((await stored('dashboard')).leader.id, before.id);
      await Promise.all([leader.close(), follower.close()]);
    });
  });

  describe('transcript', { concurrency: 1 }, () => {
    follows('transcript', deeds.transcript);

    test('two who speak at once each have a line of their own', async () => {
      const pages = [await enter('transcript', 'events', { name: 'ink' }), await enter('transcript', 'polling&every=5', { name: 'paper' })];
      const words = who => Array.from({ length: 12 }, (_, i) => `${who}${i}`).join(' ');

      await pages[0].click('#clear');
      await until(async () => Object.keys((await stored('transcript')).lines).length === 0, 'cleared');
      await Promise.all(['ink', 'paper'].map(async (who, i) => {
        await pages[i].focus('#words');
        await pages[i].keyboard.type(`${words(who)} `);
      }));
      const told = async () => Object.values((await stored('transcript')).lines).map(({ name, text }) => `${name}: ${text}`).sort();

      await until(async () => /ink11 .*paper11 /s.test((await told()).join()), 'everything said');
      assert.deepEqual(await told(), [`ink: ${words('ink')} `, `paper: ${words('paper')} `]);
      await Promise.all(pages.map(page => page.close()));
    });
  });

  describe('game', { concurrency: 1 }, () => {
    follows('game', deeds.game);

    test('in the game positions are presence, and a coin is given once', async () => {
      const [one, two] = [await enter('game', 'websocket', { name: 'ink' }), await enter('game', 'websocket', { name: 'paper' })];
      const seen = () => place(two, '.dot:not(.is-me)');

      await two.waitForSelector('.dot:not(.is-me)');
      const before = await seen();

      await one.focus('#field');
      await one.keyboard.press(before.x < 50 ? 'ArrowRight' : 'ArrowLeft', { delay: 150 });
      await until(async () => distance(await seen(), before) > 1 && distance(await seen(), await place(one, '.is-me')) < 0.2, 'where the other is');
      await picture(two, 'demo-game-presence');
      await choose(two, 'polling');
      assert.equal(await two.locator('.dot:not(.is-me)').count(), 0);
      await shows(two, '#presence', 'You see nobody else');

      const see = await blind(two, 'game');
      const coin = await nearest(two);
      const isTaken = page => page.waitForSelector(`#${coin.id}`, { state: 'detached' });

      await goTo(one, coin, () => isTaken(one));
      await goTo(two, coin, () => shows(two, '#verdict', 'Somebody else was there first'));
      await see();
      await isTaken(two);
      const { coins, players } = await stored('game');
      const sum = list => list.reduce((total, n) => total + n, 0);

      assert.equal(sum(Object.values(players).map(player => player.coins)), sum(coins.map(({ n }) => n)));
      await Promise.all([one.close(), two.close()]);
    });
  });
});

test('all four come back when the server was away, and miss nothing', async () => {
  const pages = await Promise.all(ways.map(way => enter('chat', way === 'polling' ? 'polling&every=1' : way)));

  await server.kill();
  for (const page of pages) await shows(page, '#lost', 'does not answer');
  await server.restart();
  const said = await stored('chat');

  said.messages.push({ id: 'back', from: 'm', name: 'paper', text: 'I am back', at: Date.now() });
  await fetch(`${server.url}/v1/docs/demos/chat`, { method: 'PUT', headers: { 'Content-Type': 'application/json', 'If-Match': '*' }, body: JSON.stringify(said) });
  for (const page of pages) {
    await shows(page, '#messages li:last-child', 'I am back');
    await until(async () => (await page.textContent('#lost')) === '', 'reached again');
  }
  await Promise.all(pages.map(page => page.close()));
});

for (const colorScheme of ['light', 'dark'])
  test(`on a phone nothing sticks out, and everything can be read: ${colorScheme}`, async () => {
    const page = await visit('/demos/', { viewport: { width: 360, height: 740 }, colorScheme });

    for (const name of ['', ...names]) {
      if (name) {
        await page.goto(`${server.url}/demos/${name}`);
        await page.waitForSelector('html[data-way]');
      }
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is not too wide`);
      assert.deepEqual(await page.evaluate(faults, 4.5), [], name);
      assert.deepEqual(
        await page.evaluate(() => [...document.querySelectorAll('button, a, input, svg[tabindex]')].filter(one => !(one.getAttribute('aria-label') || one.labels?.[0]?.textContent.trim() || one.textContent.trim())).map(one => one.outerHTML)),
        [],
      );
      await picture(page, `demo-${name || 'index'}-phone-${colorScheme}`);
    }
    await page.close();
  });
