import assert from 'node:assert/strict';
import test from 'node:test';
import { EditorState, Text } from '@codemirror/state';
import ot from 'ot-text-unicode';
import { load } from './load.mjs';
import { below, random, randomText, seed } from './random.mjs';

const { opFromChanges, changesFromOp, changeBetween, splitOp, pointsIn, positionAfter, wellFormed } = await load('convert', 'well-formed');
const { type } = ot;
const stateOf = (doc, ...extensions) => EditorState.create({ doc: Text.of(doc.split('\n')), extensions: [EditorState.lineSeparator.of('\n'), ...extensions] });
const opOf = (text, changes) => opFromChanges(Text.of(text.split('\n')), stateOf(text).changes(changes));

test('positions are code points', () => {
  assert.deepEqual(opOf('a😀b', { from: 3, insert: 'X' }), [2, 'X']);
  assert.deepEqual(opOf('😀\n😀\n😀', { from: 6, to: 8 }), [4, { d: 1 }]);
  assert.deepEqual(opOf('ab', { from: 0, to: 2, insert: '😀😁' }), ['😀😁', { d: 2 }]);
});

test('several changes make one operation', () => {
  assert.deepEqual(opOf('one two', [{ from: 0, insert: '😀' }, { from: 3, to: 4 }, { from: 7, insert: '!' }]), ['😀', 3, { d: 1 }, 3, '!']);
});

test('half a pair is never sent: one emoji for another', () => {
  assert.deepEqual(opOf('a😀b', { from: 2, to: 3, insert: '😁'[1] }), [1, '😁', { d: 1 }]);
  assert.deepEqual(opOf('a😀b', { from: 1, to: 2, insert: '🍎'[0] }), [1, '🍎'[0] + '😀'[1], { d: 1 }]);
});

test('an operation past the end is a RangeError', () => {
  assert.throws(() => changesFromOp(Text.of(['a😀']), [3, 'x']), RangeError);
  assert.throws(() => changesFromOp(Text.of(['a😀']), [1, { d: 2 }]), RangeError);
  assert.equal(positionAfter(Text.of(['a😀']), 0, 2), 3);
});

test('random edits go to an operation and back', t => {
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 3000; round++) {
    const before = randomText(below(30));
    const state = stateOf(before);
    const points = [...before];
    const changes = [];

    for (let at = 0; at < points.length && changes.length < 4; at += 1 + below(8)) {
      const to = Math.min(points.length, at + below(4));
      const unit = n => points.slice(0, n).join('').length;

      changes.push({ from: unit(at), to: unit(to), insert: random() < 0.5 ? randomText(below(3)) : '' });
      at = to;
    }
    const set = state.changes(changes);
    const op = opFromChanges(state.doc, set);
    const after = set.apply(state.doc).toString();

    assert.equal(type.apply(before, type.normalize(op)), after);
    assert.equal(state.changes(changesFromOp(state.doc, op)).apply(state.doc).toString(), after);
  }
});

test('the change between two texts is right and splits no pair', () => {
  for (let round = 0; round < 2000; round++) {
    const [before, after] = [randomText(below(12)), randomText(below(12))];
    const state = stateOf(before);
    const set = state.changes(changeBetween(before, after));

    assert.equal(set.apply(state.doc).toString(), after);
    set.iterChanges((from, to, _a, _b, text) => {
      assert.ok(`${before.slice(0, from)}`.isWellFormed?.() ?? true);
      assert.ok(before.slice(to).isWellFormed?.() ?? true);
      assert.ok(text.toString().isWellFormed?.() ?? true);
    });
  }
  assert.deepEqual(changeBetween('same', 'same'), []);
});

// The text after the portions, none of which is beyond the bounds.
function afterPortions(before, op, nUnitsMax, nPartsMax) {
  let text = before;

  for (const portion of splitOp(op, nUnitsMax, nPartsMax)) {
    const texts = portion.filter(part => typeof part === 'string');

    assert.ok(portion.length <= nPartsMax);
    assert.ok(texts.join('').length <= nUnitsMax);
    for (const text of texts) assert.doesNotMatch(text, /^[\udc00-\udfff]|[\ud800-\udbff]$/);
    type.transform(portion, [], 'left'); // throws when it is no proper operation
    text = type.apply(text, portion);
  }
  return text;
}

test('a large insert goes in portions of whole code points', () => {
  for (let round = 0; round < 500; round++) {
    const before = randomText(10);
    const [first, second] = [randomText(below(60)), randomText(below(60))];
    const n = [...before].length;
    const op = type.normalize([...(first ? [first] : []), 3, { d: 2 }, ...(second ? [second] : [])]);

    if (n < 5) continue;
    assert.equal(afterPortions(before, op, 7, 3 + below(5)), type.apply(before, op));
  }
  assert.deepEqual(splitOp([2, 'short', { d: 1 }], 100, 100), [[2, 'short', { d: 1 }]]);
});

test('an operation of many components goes in portions of some', () => {
  const before = '😀b'.repeat(100_000);
  const op = Array.from({ length: 100_000 }, () => ['a\u{1f34e}', { d: 1 }, 1]).flat().slice(0, -1);

  assert.equal(op.length, 299_999);
  assert.equal(afterPortions(before, op, 1 << 20, 20_000), 'a\u{1f34e}b'.repeat(100_000));
  assert.ok(splitOp(op, 1 << 20, 20_000).length <= 16);
});

test('text in the editor stays valid Unicode', () => {
  const apply = (text, changes) => {
    const before = stateOf(text, wellFormed());
    const transaction = before.update({ changes });

    assert.equal(type.apply(text, opFromChanges(before.doc, transaction.changes)), transaction.newDoc.toString());
    return transaction.newDoc.toString();
  };

  assert.equal(apply('ab', { from: 1, insert: '\ud83d' }), 'a\ufffdb');
  assert.equal(apply('a😀b', { from: 1, to: 2 }), 'a\ufffdb');
  assert.equal(apply('a😀b', { from: 2, to: 3 }), 'a\ufffdb');
  assert.equal(apply('a😀b', { from: 2, insert: '-' }), 'a\ufffd-\ufffdb');
  assert.equal(apply('a😀b', { from: 2, to: 3, insert: '\ude01' }), 'a😁b');
  assert.equal(apply('', { from: 0, insert: '😀😀' }), '😀😀');
});

test('an edit at the end of a megabyte takes well under a tenth of a second', () => {
  const text = 'twenty letters long\n'.repeat(52_000);
  const state = stateOf(text);
  const start = process.cpuUsage(); // not the clock: others may be busy on the same machine

  for (let i = 0; i < 20; i++) opFromChanges(state.doc, state.changes({ from: text.length - 5, insert: 'x' }));
  const { user, system } = process.cpuUsage(start);
  assert.ok((user + system) / 20 < 100_000, `${(user + system) / 20} us`);
  assert.equal(pointsIn(text), text.length);
});
