// The start page: begin a document, open one by its name, find one again.
import { START_COLLECTION, editorUrl, freshId, parseName, url, type Address } from './address.ts';
import { setUpLooks } from './chrome.ts';
import { make, one } from './dom.ts';
import { forgetRecent, recents } from './keep.ts';
import { Gate, setUpLogout, withToken } from './login.ts';

const PAGE_SIZE = 50;
const FILTER_MS = 200;

interface Listed {
  id: string;
  type: string;
  version: number;
  size: number;
  created: string | number;
  modified: string | number;
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

function ago(time: Date): string {
  const seconds = (time.getTime() - Date.now()) / 1000;
  const unit = units.find(([, size]) => Math.abs(seconds) >= size);

  return unit ? relative.format(Math.round(seconds / unit[1]), unit[0]) : 'just now';
}

function size(nBytes: number): string {
  if (nBytes < 1024) return `${nBytes} B`;
  return nBytes < 1024 * 1024 ? `${(nBytes / 1024).toFixed(1)} kB` : `${(nBytes / 1024 / 1024).toFixed(1)} MB`;
}

function when(time: Date): HTMLTimeElement {
  const element = make('time', { textContent: ago(time), title: time.toLocaleString() });

  if (!Number.isNaN(time.getTime())) element.dateTime = time.toISOString();
  return element;
}

function row(address: Address, title: string, ...facts: (Node | string)[]): HTMLLIElement {
  const link = make('a', { href: editorUrl(address), className: 'row-link' }, make('span', { className: 'row-title', textContent: title, dir: 'auto' }));
  const about = make('span', { className: 'row-facts' }, ...facts);

  link.append(about);
  return make('li', { className: 'row' }, link);
}

function showRecents(): void {
  const list = recents();

  one('#recent').hidden = list.length === 0;
  one('#recent-list').replaceChildren(
    ...list.map(recent => {
      const item = row(recent, recent.title, `${recent.collection} / ${recent.id}`, ' · ', when(new Date(recent.openedAt)));
      const forget = make('button', { type: 'button', className: 'icon-button', textContent: '×', title: 'Take off this list' });

      forget.setAttribute('aria-label', `Take “${recent.title}” off this list`);
      forget.addEventListener('click', () => {
        forgetRecent(recent);
        showRecents();
      });
      item.append(forget);
      return item;
    }),
  );
}

// Pages of the collection, in the order of the ids; each answer says where the next one is.
let next: string | null = null;
let nRequests = 0;

const firstPage = (prefix: string) =>
  url(`v1/docs/${START_COLLECTION}?limit=${PAGE_SIZE}${prefix ? `&prefix=${encodeURIComponent(prefix)}` : ''}`);

async function showPage(address: string, isMore: boolean): Promise<void> {
  const list = one('#all-list');
  const request = ++nRequests;
  const answer = await fetch(address, { headers: withToken({ Accept: 'application/json' }) }).catch(() => null);
  const page = answer?.ok ? ((await answer.json()) as { documents: Listed[] }) : null;

  if (request !== nRequests) return; // the filter has changed meanwhile
  if (answer?.status === 401) void gate.check();
  if (!isMore) list.replaceChildren();
  next = nextPage(answer, address);
  one('#all-more').hidden = next === null;
  list.append(...(page?.documents ?? []).map(listed));
  one('#all-note').textContent = page ? (list.childElementCount ? '' : 'Nothing here yet.') : whyNot(answer);
}

function whyNot(answer: Response | null): string {
  if (answer?.status === 401) return 'The list is shown to whoever is logged in.';
  return answer?.status === 403 ? 'You may not see this list.' : 'The list can’t be loaded just now.';
}

function nextPage(answer: Response | null, address: string): string | null {
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer?.headers.get('Link') ?? '');

  // Only what follows the question mark: a proxy may have moved the path.
  return link ? address.split('?')[0] + new URL(link[1]!, address).search : null;
}

function listed(one: Listed): HTMLLIElement {
  const address = { collection: START_COLLECTION, id: one.id };
  const known = recents().find(recent => recent.collection === address.collection && recent.id === one.id);

  return row(address, known?.title ?? one.id, size(one.size), ' · ', when(new Date(one.modified)));
}

function setUpOpen(): void {
  const input = one<HTMLInputElement>('#name');

  input.addEventListener('input', () => input.setCustomValidity(''));
  one('#open').addEventListener('submit', event => {
    const address = parseName(input.value);

    event.preventDefault();
    input.setCustomValidity(address ? '' : 'A name has 1 to 128 bytes, perhaps with a collection in front: notes/groceries');
    if (address) location.assign(editorUrl(address));
    else input.reportValidity();
  });
}

function setUpFilter(): void {
  const filter = one<HTMLInputElement>('#filter');
  let timer = 0;

  filter.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => showPage(firstPage(filter.value.trim()), false), FILTER_MS);
  });
}

const gate = new Gate({
  admitted: () => {
    setUpLogout(one('#logout'));
    void showPage(firstPage(one<HTMLInputElement>('#filter').value.trim()), false);
  },
  shut: () => {},
});

setUpLooks();
setUpLogout(one('#logout'));
setUpOpen();
setUpFilter();
one('#create').addEventListener('click', () => location.assign(editorUrl({ collection: START_COLLECTION, id: freshId() })));
one('#all-more').addEventListener('click', () => next && showPage(next, true));
showRecents();
void showPage(firstPage(''), false);
// Coming back with the browser's own button shows the page as it was left.
addEventListener('pageshow', event => {
  if (!event.persisted) return;
  showRecents();
  void showPage(firstPage(one<HTMLInputElement>('#filter').value.trim()), false);
});
