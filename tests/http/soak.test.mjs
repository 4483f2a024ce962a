// What ./dev bench soak judges by notices what it is there for. The load itself takes half an hour and is no test.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Ledger, Sequence } from '../bench/soak/ledger.mjs';
import { judge } from '../bench/soak/verdict.mjs';
import { TEXT } from '../lib/wire.mjs';

const log = () => [
  { v: 0, src: 'one', seq: 1, create: { type: TEXT, data: 'ink' } },
  { v: 1, src: '~hash', seq: 7, op: [' and'] },
  { v: 2, src: 'two', seq: 1, op: [{ d: 1 }] },
];

// A ledger in which that log was acknowledged and shown; then what work does to it and to the log.
function faultsOf(work) {
  const ledger = new Ledger();
  const page = ledger.page('notes', 'a', null);
  const ops = log();

  page.acknowledge(0, 'one', 1);
  page.acknowledge(1);
  page.acknowledge(2, 'two', 1);
  for (const op of ops) page.saw(op);
  const made = ledger.verify(page, work?.(page, ops) ?? ops);
  return { made, faults: ledger.faults.map(fault => fault.replace('notes/a', 'it')) };
}

test('a log that is what was acknowledged and shown is without fault, and makes the content', () => {
  assert.deepEqual(faultsOf(), { made: { type: TEXT, data: 'andink' }, faults: [] });
});

for (const [name, work, fault] of [
  ['lost', (page, ops) => ops.slice(0, 2), /^it: 3 operations were acknowledged, 2 are there/],
  ['there and never acknowledged', (page, ops) => [...ops, { v: 3, src: 'two', seq: 2, op: ['x'] }], /version 3 of two 2 was acknowledged to nobody/],
  ['done twice', (page, ops) => [...ops, { ...ops[2], v: 3 }], /version 3 of two 1 was acknowledged to nobody/],
  ['acknowledged at another version', (page, ops) => [ops[0], { ...ops[1], src: 'two', seq: 1 }, { ...ops[2], src: '~hash', seq: 7 }], /version 1 is that of two 1, and was acknowledged to another/],
  ['acknowledged twice', page => page.acknowledge(2, 'one', 9), /version 2 was acknowledged twice/],
  ['in the log otherwise than it was shown', (page, ops) => [ops[0], { ...ops[1], op: ['AND'] }, ops[2]], /version 1 was shown with other content/],
  ['shown otherwise to another', (page, ops) => page.saw({ ...ops[1], op: ['AND'] }), /version 1 was shown with two contents/],
]) {
  test(`an operation that is ${name} is noticed`, () => assert.match(faultsOf(work).faults[0], fault));
}

test('a version that comes again, or before its turn, is noticed; again is fine while one is coming back', () => {
  const ledger = new Ledger();
  const sequence = new Sequence(ledger.page('notes', 'a', null), 'somebody');

  sequence.next = 4;
  sequence.take(4);
  sequence.take(4, true);
  assert.equal(ledger.nFaults, 0);
  sequence.take(4);
  assert.match(ledger.faults.at(-1), /version 4 of notes\/a again/);
  sequence.take(6);
  assert.match(ledger.faults.at(-1), /version 6 of notes\/a where 5 was due/);
});

// Thirty minutes, of which each is as change says.
const badOf = change => judge(Array.from({ length: 30 }, (_, i) => ({ anon: 50e6, witnessed: Array(200).fill(2), nWritten: 200, nRead: 40, nMissed: 0, ...change(i) }))).map(({ isGood }) => isGood);

test('memory that fills up in five minutes and stays, and times that stay, are well', () => {
  assert.deepEqual(badOf(i => ({ anon: 50e6 - 20e6 / (1 + i * i) + (i % 3) * 1e5 })), [true, true, true, true]);
});

test('memory that grows from the sixth minute on is noticed, though slowly', () => {
  assert.deepEqual(badOf(i => ({ anon: 50e6 + 3e5 * i })), [false, false, true, true]);
});

test('memory that steps up late is noticed', () => {
  assert.deepEqual(badOf(i => ({ anon: i > 24 ? 60e6 : 50e6 }))[0], false);
});

test('one slow window is noticed, and not a single slow acknowledgement', () => {
  const slow = n => ({ witnessed: [...Array(200 - n).fill(2), ...Array(n).fill(50)] });

  assert.deepEqual(badOf(i => (i === 17 ? slow(1) : {}))[2], true);
  assert.deepEqual(badOf(i => (i >= 15 && i < 20 ? slow(5) : {}))[2], false);
});

test('a load that could not do its work is no measure of the server', () => {
  assert.deepEqual(badOf(i => (i > 20 ? { nMissed: 20 } : {}))[3], false);
});
