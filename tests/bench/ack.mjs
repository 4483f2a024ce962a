// How long an operation takes until it is durable, and how many a second there are: against a server of its own.
import { startServer } from '../lib/server.mjs';
import { Wire } from '../lib/wire.mjs';

const ends = [];
const server = await startServer({ after: end => ends.unshift(end) });

// Each client on a document of its own, with that many operations on their way at any time.
async function measure(nClients, nAtOnce, nOps) {
  const wires = await Promise.all(Array.from({ length: nClients }, () => Wire.open(server)));
  const collection = `bench-${nClients}-${nAtOnce}`;
  const times = [];

  await Promise.all(wires.map((wire, i) => wire.createText(collection, `${i}`)));
  const began = performance.now();
  await Promise.all(wires.map(async (wire, i) => {
    const sent = [];
    for (let k = 0, answered = 0; answered < nOps; ) {
      while (k < nOps && k - answered < nAtOnce) {
        sent.push(performance.now());
        wire.send({ a: 'op', c: collection, d: `${i}`, v: 1 + k++, seq: wire.seq++, op: ['x'] });
      }
      await wire.next();
      times.push(performance.now() - sent[answered++]);
    }
  }));
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(wires.map(wire => wire.close()));

  times.sort((a, b) => a - b);
  const at = share => times[Math.floor(share * (times.length - 1))].toFixed(2);
  console.log(`${String(nClients).padStart(4)} clients, ${String(nAtOnce).padStart(3)} at once: ` +
    `${String(Math.round(times.length / seconds)).padStart(7)} operations/s, acknowledged after ${at(0.5)} ms (99 of 100: ${at(0.99)} ms)`);
}

await measure(1, 1, 500);
await measure(1, 100, 5000);
await measure(64, 1, 100);
await measure(64, 20, 200);
for (const end of ends)
  await end();
