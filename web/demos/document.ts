// One JSON document over HTTP: begun, and changed only as long as it is as one thinks.
import { documentUrl, freshId, type Address } from '../src/address.ts';
import { backOff } from '../src/link.ts';

export interface Step {
  op: 'test' | 'add' | 'replace' | 'remove'; // RFC 6902
  path: string;
  value?: unknown;
}

export const me = freshId().slice(0, 8); // this window
const ATTEMPTS = 5;
const NOBODY = { by: '', at: 0 }; // has sent anything yet
let nChanges = 0;

// Two may begin at the same moment; then the second finds that there is one (412), and that is fine.
export async function begin(address: Address, first: object): Promise<void> {
  const url = documentUrl(address);
  const { status } = await fetch(url, { method: 'HEAD' });

  if (status === 401) throw new Error('This server wants tokens, and the demonstrations know of none.');
  if (status !== 404) return;
  await fetch(url, { method: 'PUT', headers: { 'Content-Type': 'application/json', 'If-None-Match': '*' }, body: JSON.stringify({ ...first, sent: NOBODY }) });
}

// All steps or none, one after the other, on what the document is by now. Returns the version that they led to; null: a
// `test` among them did not hold, since somebody was quicker.
export async function change(address: Address, steps: Step[]): Promise<number | null> {
  return patch(address, 'application/json-patch+json', [...steps, { op: 'add', path: '/sent', value: sent() }]);
}

// The same with an operation of json0, for version v: what was committed since is seen to by the server. Who replaces says so
// with `od`, whatever it is by now: `oi` alone is for what is not there yet.
export async function operate(address: Address, v: number, op: object[]): Promise<number | null> {
  return patch(address, 'application/vnd.pilcrow.op+json', { v, op: [...op, { p: ['sent'], od: NOBODY, oi: sent() }] });
}

// For whoever is told of the change to see how long that took.
const sent = () => ({ by: me, at: Date.now() });

// When no answer comes, nobody knows whether it was done. With the same key it is done once, however often it is sent.
// keepalive: also when the page is just being left.
async function patch(address: Address, type: string, body: unknown): Promise<number | null> {
  const headers = { 'Content-Type': type, 'Idempotency-Key': `"${me}-${nChanges++}"` };

  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(documentUrl(address), { method: 'PATCH', headers, body: JSON.stringify(body), keepalive: true }).catch(() => null);

    if (answer?.ok) return Number(answer.headers.get('Pilcrow-Version'));
    if (answer?.status === 409) return null;
    if (answer && answer.status !== 503) throw new Error((await answer.json()).detail);
    if (attempt === ATTEMPTS) throw new Error('The server can’t be reached.');
    await new Promise(done => setTimeout(done, backOff(attempt, Math.random())));
  }
}
