// What stands around the text: status, name, menu, dialogs, notices.
import { choice, copyText, download, make, one, toast } from './dom.ts';
import { NAME_MAX, face, keepFace, keepName, keepTheme, ownName, theme, type Face, type Theme } from './keep.ts';
import { keyName, shortcuts } from './keys.ts';
import type { Status } from './status.ts';

export function showStatus(status: Status): void {
  const element = one('#status');

  if (element.dataset.state !== status.name) element.dataset.state = status.name;
  setText('#status-text', status.text);
  setText('#status-detail', status.detail);
}

function setText(selector: string, text: string): void {
  const element = one(selector);

  if (element.textContent !== text) element.textContent = text;
}

export function setUpLooks(): void {
  choice('theme', theme(), value => keepTheme(value as Theme));
  choice('face', face(), value => keepFace(value as Face));
}

export function setUpMenu(): void {
  const menu = one('#menu');

  menu.addEventListener('click', event => {
    if (event.target instanceof Element && event.target.closest('a, [data-closes]')) menu.hidePopover();
  });
}

export function openHelp(): void {
  const list = one('#help-keys');
  const dialog = one<HTMLDialogElement>('#help');

  list.replaceChildren(
    ...shortcuts.map(([keys, does]) => make('div', {}, make('dt', {}, ...keyCaps(keys)), make('dd', { textContent: does }))),
  );
  if (!dialog.open) dialog.showModal();
}

function keyCaps(keys: string): (Node | string)[] {
  return keys.split(/( or | \/ )/).map(part => (/^ /.test(part) ? part : make('kbd', { textContent: keyName(part) })));
}

export function setUpName(changed: () => void): void {
  const dialog = one<HTMLDialogElement>('#name-dialog');
  const input = one<HTMLInputElement>('#name-input');

  input.maxLength = NAME_MAX;
  one('#name-button').addEventListener('click', () => {
    input.value = ownName();
    dialog.returnValue = ''; // Firefox and Safari leave the last one when Escape closes it
    dialog.showModal();
    input.select();
  });
  dialog.addEventListener('close', () => {
    const name = input.value.trim();

    if (dialog.returnValue !== 'save' || name === ownName()) return;
    keepName(name);
    showName();
    changed();
  });
  showName();
}

// Whoever has an account is called as it is.
export function showAccount(name: string): void {
  one<HTMLButtonElement>('#name-button').disabled = true;
  one('#name-button').setAttribute('aria-label', `Logged in as ${name}`);
  one('#name-label').textContent = name;
  one('#name-initial').textContent = [...name][0]!.toUpperCase();
}

function showName(): void {
  const name = ownName();

  one('#name-label').textContent = name || 'Your name';
  one('#name-initial').textContent = name ? [...name][0]!.toUpperCase() : '?';
  one('#name-button').setAttribute('aria-label', name ? `Your name: ${name}. Change it` : 'Say your name');
}

export async function share(): Promise<void> {
  toast((await copyText(location.href)) ? 'Link copied' : 'Copy the address from the address bar');
}

interface Notice {
  kind: 'refused' | 'deleted' | 'failed' | 'reading';
  title: string;
  text: string;
  actions?: { label: string; run: () => void; stays?: boolean }[];
}

export function dropNotice(kind: Notice['kind']): void {
  for (const notice of document.querySelectorAll(`#notices [data-kind="${kind}"]`)) notice.remove();
}

// At the top of the page, until it is dealt with; it takes room and covers nothing.
export function notify({ kind, title, text, actions = [] }: Notice): void {
  const buttons = make('div', { className: 'notice-actions' });
  const notice = make('section', { className: 'notice' }, make('p', {}, make('strong', { textContent: title }), ' ', text), buttons);

  notice.setAttribute('role', 'alert');
  notice.dataset.kind = kind;
  for (const { label, run, stays } of actions) {
    const button = make('button', { type: 'button', className: 'button is-quiet', textContent: label });

    button.addEventListener('click', () => {
      run();
      if (!stays) notice.remove();
    });
    buttons.append(button);
  }
  dropNotice(kind);
  one('#notices').append(notice);
}

// What a server says comes without a full stop.
export const asSentence = (message: string) => (/[.!?]$/.test(message) ? message : `${message}.`);

// The user's own text, of which the document lacks a part. There is one such notice, and the text is asked for when it is
// wanted: it has what was refused before, too.
export function offerRescue(message: string, fileName: string, text: () => string, forget: () => void): void {
  notify({
    kind: 'refused',
    title: 'Some of your text is not in the document.',
    text: `${asSentence(message)} The page shows what the server has; the text with all of yours is kept here.`,
    actions: [
      {
        label: 'Copy my text',
        stays: true,
        run: async () => toast((await copyText(text())) ? 'Your text is on the clipboard' : 'It could not be copied; download it'),
      },
      { label: 'Download it', stays: true, run: () => download(fileName, text()) },
      { label: 'Dismiss', run: forget },
    ],
  });
}
