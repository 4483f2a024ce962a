// An auction. A bid says what it believes the highest one to be, and is refused when that is not so any more: the server
// takes the steps of a JSON Patch all or not at all, and a `test` among them is the condition.
import { make, one } from '../src/dom.ts';
import { Page, colorOf, myName } from './page.ts';

interface Bid {
  name: string;
  amount: number;
}

interface Auction {
  lot: number;
  highest: number;
  endsAt: number; // milliseconds since 1970
  bids: Bid[]; // the newest first
}

const LOT_MS = 90_000;
const LAST_CALL_MS = 15_000; // a bid leaves at least so long to answer it
const BIDS_MAX = 12;
const items = [
  'A brass sextant, in its box',
  'A writing desk with a secret drawer',
  'Forty maps of one small island',
  'A clock that runs backwards',
  'A red inkwell, still full',
];

let auction: Auction = { lot: 1, highest: 100, endsAt: 0, bids: [] };

const page = new Page<Auction>({ id: 'auction', first: { ...auction, endsAt: Date.now() + LOT_MS }, show });

function show(now: Auction): void {
  auction = structuredClone(now);
  one('#lot').textContent = `Lot ${now.lot}`;
  one('#item').textContent = items[(now.lot - 1) % items.length]!;
  one('#highest').textContent = euros(now.highest);
  one('#history').replaceChildren(...now.bids.map(row));
  for (const button of document.querySelectorAll<HTMLButtonElement>('#bid button')) button.textContent = euros(now.highest + Number(button.value));
  tick();
}

const euros = (amount: number) => `€ ${amount}`;

function row({ name, amount }: Bid): HTMLLIElement {
  const dot = make('span', { className: `person-dot ${colorOf(name)}` });
  const who = make('span', { className: 'grows', textContent: name, dir: 'auto' });

  return make('li', { className: 'row' }, dot, who, make('b', { textContent: euros(amount) }));
}

async function bid(amount: number): Promise<void> {
  const { lot, highest, endsAt, bids } = auction;
  const name = myName();
  const version = await page.change([
    { op: 'test', path: '/lot', value: lot },
    { op: 'test', path: '/highest', value: highest },
    { op: 'replace', path: '/highest', value: amount },
    { op: 'add', path: '/bids/0', value: { name, amount } },
    ...(bids.length < BIDS_MAX ? [] : [{ op: 'remove', path: `/bids/${BIDS_MAX}` } as const]),
    { op: 'replace', path: '/endsAt', value: Math.max(endsAt, Date.now() + LAST_CALL_MS) },
  ]);

  if (version !== null) say(`Your bid of ${euros(amount)} is the highest.`, true);
  else say(`Refused: somebody was quicker than your ${euros(amount)}. This is the new price.`, false);
}

function say(verdict: string, isGood: boolean): void {
  one('#verdict').textContent = verdict;
  one('#verdict').className = isGood ? 'is-good' : 'is-bad';
}

// Everybody sees the hammer fall by his own clock; the next lot begins once, whoever asks for it.
function tick(): void {
  const leftMs = Math.max(0, auction.endsAt - Date.now());
  const isOver = leftMs === 0;
  const leader = auction.bids[0];

  one('#left').textContent = isOver ? 'Over' : `${Math.ceil(leftMs / 1000)} s`;
  one('#ring').setAttribute('stroke-dasharray', `${Math.min(1, leftMs / LOT_MS)} 1`);
  one('#bidder').textContent = !leader ? (isOver ? 'not sold' : 'to begin with') : isOver ? `sold to ${leader.name}` : `by ${leader.name}`;
  one('#bid').hidden = isOver;
  one('#next').hidden = !isOver;
}

async function next(): Promise<void> {
  const { lot } = auction;

  await page.change([
    { op: 'test', path: '/lot', value: lot },
    { op: 'replace', path: '/lot', value: lot + 1 },
    { op: 'replace', path: '/highest', value: 100 },
    { op: 'replace', path: '/endsAt', value: Date.now() + LOT_MS },
    { op: 'replace', path: '/bids', value: [] },
  ]);
  say('', true);
}

one('#bid').addEventListener('submit', event => {
  const { submitter } = event as SubmitEvent;

  event.preventDefault();
  bid(auction.highest + Number((submitter as HTMLButtonElement).value)).catch(error => say(error.message, false));
});
one('#next').addEventListener('click', () => next().catch(error => say(error.message, false)));
setInterval(tick, 200);
