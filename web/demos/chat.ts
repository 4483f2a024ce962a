// A chat: a list to which everybody appends. What came while the page was out of sight is counted in its title.
import { make, one } from '../src/dom.ts';
import { me } from './document.ts';
import { Page, colorOf, myName } from './page.ts';

interface Message {
  id: string;
  from: string; // a window
  name: string;
  text: string;
  at: number; // milliseconds since 1970
}

interface Chat {
  messages: Message[]; // the newest last
}

const MESSAGES_MAX = 100; // what is older goes; the document's history has it still
const title = document.title;

let newest: string | null = null; // id of the last message seen by the page; null: nothing was loaded yet
let nListed = 0;
let nSaid = 0;
let nUnread = 0;

const page = new Page<Chat>({ id: 'chat', first: { messages: [] }, show, restsHidden: false }); // for the notifications

function show({ messages }: Chat): void {
  const fresh = newest === null ? [] : messages.slice(messages.findIndex(message => message.id === newest) + 1);
  const list = one('#messages');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;

  if (newest !== null && fresh.length === 0 && nListed === messages.length) return;
  nListed = messages.length;
  newest = messages.at(-1)?.id ?? '';
  list.replaceChildren(...messages.map(item));
  if (isAtEnd) list.scrollTop = list.scrollHeight;
  for (const message of fresh) if (message.from !== me) tell(message);
}

function item({ from, name, text, at }: Message): HTMLLIElement {
  const time = make('time', { textContent: new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) });
  const head = make('p', { className: 'said-by' }, make('b', { className: colorOf(name), textContent: name, dir: 'auto' }), ' ', time);

  return make('li', { className: from === me ? 'is-mine' : '' }, head, make('p', { textContent: text, dir: 'auto' }));
}

function tell({ name, text }: Message): void {
  if (!document.hidden) return;
  count(nUnread + 1);
  try {
    if (Notification.permission === 'granted') new Notification(name, { body: text, tag: 'pilcrow-chat' }).onclick = () => window.focus();
  } catch {
    // Phones know notifications of service workers alone; the title has it.
  }
}

function count(unread: number): void {
  nUnread = unread;
  document.title = unread ? `(${unread}) ${title}` : title;
}

async function say(text: string): Promise<void> {
  await page.change([
    { op: 'add', path: '/messages/-', value: { id: `${me}-${++nSaid}`, from: me, name: myName(), text, at: Date.now() } },
    ...(nListed < MESSAGES_MAX ? [] : [{ op: 'remove', path: '/messages/0' } as const]),
  ]);
}

// A browser asks its user only after a click, and remembers a no.
async function allow(): Promise<void> {
  const may = 'Notification' in window ? await Notification.requestPermission() : 'denied';

  one('#notify').hidden = may === 'granted';
  one('#notify-note').textContent =
    may === 'granted'
      ? 'You are notified while this window is out of sight.'
      : 'Your browser does not allow it; the title counts what you have not read.';
}

one('#say').addEventListener('submit', event => {
  const input = one<HTMLInputElement>('#text');
  const { value } = input;

  event.preventDefault();
  input.value = '';
  say(value).catch(error => {
    input.value = value;
    one('#lost').textContent = error.message;
  });
});
one('#notify').addEventListener('click', allow);
document.addEventListener('visibilitychange', () => document.hidden || count(0));
if ('Notification' in window && Notification.permission === 'granted') void allow();
