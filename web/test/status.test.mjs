import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { statusOf, measure, sentence, titleOf } = await load('status', 'measure');
const facts = { isOpen: true, isDeleted: false, link: 'connected', retryInMs: 0, isFollowing: true, isWritePending: false, nWaiting: 0 };

test('saved is said only when the line is up and nothing waits', () => {
  assert.equal(statusOf(facts).name, 'saved');
  for (const change of [{ link: 'waiting' }, { link: 'connecting' }, { isWritePending: true }, { isFollowing: false }, { isOpen: false }, { isDeleted: true }])
    assert.notEqual(statusOf({ ...facts, ...change }).name, 'saved');
});

test('not logged in is neither saved nor off line, and says what waits', () => {
  assert.deepEqual(statusOf({ ...facts, link: 'refused' }), { name: 'locked', text: 'Not logged in', detail: '' });
  assert.equal(statusOf({ ...facts, link: 'refused', isWritePending: true, nWaiting: 3 }).text, 'Not logged in — 3 edits waiting');
  assert.equal(statusOf({ ...facts, link: 'refused', isOpen: false }).name, 'locked');
});

test('off line it says how much waits and when it tries again', () => {
  assert.deepEqual(statusOf({ ...facts, link: 'waiting', retryInMs: 3200, isWritePending: true, nWaiting: 12 }), {
    name: 'offline',
    text: 'Offline — 12 edits waiting',
    detail: 'Reconnecting in 4 s',
  });
  assert.equal(statusOf({ ...facts, link: 'connecting', isWritePending: true, nWaiting: 1 }).text, 'Offline — 1 edit waiting');
});

test('words, code points, lines', () => {
  assert.deepEqual(measure(''), { words: 0, characters: 0, lines: 1 });
  assert.deepEqual(measure("Don't 😀\nstop"), { words: 2, characters: 12, lines: 2 });
  assert.equal(measure('word '.repeat(20_000)).words, 20_000);
  assert.equal(sentence({ words: 1, characters: 2, lines: 1 }), '1 word · 2 characters · 1 line');
});

test('a title is the first line that says something', () => {
  assert.equal(titleOf(['', '  ', '## A *fine* day'], 'id'), 'A fine day');
  assert.equal(titleOf(['---', ''], 'id'), 'id');
  assert.equal([...titleOf(['😀'.repeat(100)], 'id')].length, 80);
});
