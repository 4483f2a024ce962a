// The clock of the machine jumps: times in the log never run backwards, reading by time stays right, and nobody waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startOnClock } from '../lib/clock.mjs';
import { Wire } from '../lib/wire.mjs';

const DAY = 86_400;
const ms = op => Date.parse(op.time);

test('the clock jumps back a day, a year forward, and back again', async t => {
  const server = await startOnClock(t);
  const url = `${server.url}/v1/docs/notes/clock`;
  let wire = await Wire.open(server);
  let version = 1;
  const write = async text => wire.submit('notes', 'clock', { v: version++, op: [text] });

  await wire.createText('notes', 'clock', '');
  await write('a');
  server.clock.add(-DAY);
  await write('b');
  await server.kill();
  await server.restart();
  wire = await Wire.open(server);
  await write('c');
  server.clock.add(365 * DAY);
  await write('d');
  server.clock.add(0);
  await write('e');

  const { ops } = await (await fetch(`${url}/ops`)).json();
  assert.equal(ops.length, 6);
  for (let i = 1; i < ops.length; i++)
    assert(ms(ops[i]) >= ms(ops[i - 1]), `${ops[i].time} behind ${ops[i - 1].time}`);
  assert(ms(ops[4]) - ms(ops[3]) > 364 * DAY * 1000, 'the year that was shown is what was written');
  assert.equal(await (await fetch(url)).text(), 'edcba');
});

test('presence and timeouts live by intervals: a jump cuts nobody', async t => {
  const server = await startOnClock(t, { args: ['--ping-seconds', '1'] });
  const wire = await Wire.open(server);

  await wire.createText('notes', 'still', 'x');
  for (const seconds of [1e6, -1e6, 0]) {
    server.clock.add(seconds);
    await new Promise(resolve => setTimeout(resolve, 300));
    assert.equal((await wire.fetch('notes', 'still')).data.data, 'x');
  }
});
