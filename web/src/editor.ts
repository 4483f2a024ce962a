// The page of one document.
import { openSearchPanel } from '@codemirror/search';
import type { EditorView } from '@codemirror/view';
import { addressOfPage, documentUrl, socketUrl, type Address } from './address.ts';
import { asSentence, dropNotice, notify, offerRescue, openHelp, setUpLooks, setUpMenu, setUpName, share, showAccount, showStatus } from './chrome.ts';
import { Company } from './company.ts';
import { announce, download, one } from './dom.ts';
import { GUEST } from './here.ts';
import { keepRecent, ownName, ownToken } from './keep.ts';
import { Link, type LinkState } from './link.ts';
import { Gate, accountOf, setUpLogout, type Me } from './login.ts';
import { measure, sentence, titleOf } from './measure.ts';
import { Session } from './session.ts';
import type { Status, StatusName } from './status.ts';
import { TextView } from './view.ts';

const MEASURE_MS = 200;

const nonce = one<HTMLMetaElement>('meta[name="csp-nonce"]').content;

// One's own part on this page.
let me: Me | null = null; // not known yet
let isOpen = false; // there is a document to write in
let company: Company | null = null;

const canWrite = () => me !== null && me.rights.includes('write');
const shownName = () => accountOf(me) || ownName() || GUEST;

function start(address: Address): void {
  const editor = new TextView(one('#text'), nonce, keys(), {
    applied: transaction => session.bound?.applied(transaction),
    composed: () => session.bound?.release(),
    moved: () => {
      measureSoon(editor.view, address);
      company?.touch();
    },
  });
  const link = new Link(() => socketUrl(ownName(), ownToken()), () => update());
  const gate = new Gate({
    admitted: one => admitted(one, editor, link, session),
    shut: () => link.refuse(),
  });
  const session: Session = new Session(link, address, editor, {
    changed: () => update(),
    opened: () => {
      open(editor, address);
      company ??= new Company(link, session, editor, shownName);
    },
    deleted: reason => closed(editor, session, reason),
    refused: error => {
      rescue(error.message, session, fileName(address));
      void gate.check(); // it may be that one may not write any more
    },
    failed: error => failed(error.message),
  });
  let seen: LinkState = 'connecting';
  const update = () => {
    show(session.status);
    company?.touch();
    if (link.state !== seen && (link.state === 'connected' || link.state === 'waiting')) void gate.check();
    seen = link.state;
  };

  document.documentElement.dataset.document = `${address.collection}/${address.id}`;
  setUpName(() => link.renew());
  one('#retry').addEventListener('click', () => (link.state === 'refused' ? gate.ask() : link.nudge()));
  one('#find').addEventListener('click', () => openSearchPanel(editor.view));
  setUpRaw(editor, address);
  setInterval(() => link.state === 'waiting' && update(), 1000);
  addEventListener('beforeunload', event => session.hasUnsent && event.preventDefault());
  update();
}

function admitted(who: Me, editor: TextView, link: Link, session: Session): void {
  me = who;
  setUpLogout(one('#logout'));
  if (accountOf(who)) showAccount(accountOf(who));
  if (canWrite()) dropNotice('reading');
  else notify({ kind: 'reading', title: 'You are reading.', text: 'Your token does not allow you to write here.' });
  editor.setReadOnly(!isOpen || !canWrite());
  link.admit();
  session.admit();
  company?.touch();
}

// A link shows no token, so whoever has one gets the text from the page.
function setUpRaw(editor: TextView, address: Address): void {
  const link = one<HTMLAnchorElement>('#raw');

  link.href = documentUrl(address);
  link.addEventListener('click', event => {
    if (!ownToken()) return;
    event.preventDefault();
    download(fileName(address), editor.state.doc.toString());
  });
}

// Tab belongs to the text; Escape hands it back to the page.
function keys() {
  return [
    { key: 'Mod-/', run: help },
    { key: 'F1', run: help },
    { key: 'Escape', run: leave },
  ];
}

function help(): boolean {
  openHelp();
  return true;
}

function leave(): boolean {
  one('#help-button').focus();
  return true;
}

function open(editor: TextView, address: Address): void {
  dropNotice('deleted');
  isOpen = true;
  editor.setReadOnly(!canWrite());
  describe(editor.view, address);
  if (document.activeElement === document.body) editor.view.focus();
}

function rescue(message: string, session: Session, name: string): void {
  offerRescue(message, name, () => session.bound?.rescuedText() ?? '', () => session.bound?.forgetRescued());
}

function closed(editor: TextView, session: Session, reason?: string): void {
  isOpen = false;
  editor.setReadOnly(true);
  notify({
    kind: 'deleted',
    title: 'This document was deleted.',
    text: `${reason ? asSentence(reason) : ''} Its text is still on this page.`.trim(),
    actions: [{ label: 'Bring it back', stays: true, run: () => session.bringBack() }],
  });
}

let isFailed = false;

function failed(message: string): void {
  isFailed = true;
  notify({ kind: 'failed', title: 'This document can’t be opened.', text: message });
  showStatus({ name: 'offline', text: 'Not opened', detail: '' });
}

// Screen readers hear of the line breaking and mending, not of every keystroke that is being saved.
let announced: StatusName = 'opening';

const isAside = (name: StatusName) => name === 'offline' || name === 'locked';

function show(status: Status): void {
  if (isFailed) return;
  showStatus(status);
  one('#retry').hidden = !isAside(status.name);
  one('#retry').textContent = status.name === 'locked' ? 'Log in' : 'Try now';
  if (status.name === announced || status.name === 'saving') return;
  if (isAside(status.name) || isAside(announced)) announce(status.name === 'saved' ? 'Connected. Everything is saved.' : status.text);
  announced = status.name;
}

let measureTimer = 0;

function measureSoon(view: EditorView, address: Address): void {
  clearTimeout(measureTimer);
  measureTimer = window.setTimeout(() => describe(view, address), MEASURE_MS);
}

function describe(view: EditorView, address: Address): void {
  const { doc, selection } = view.state;
  const { from, to, empty } = selection.main;
  const title = titleOf(doc.iterLines(1, Math.min(doc.lines, 20) + 1), address.id);

  one('#measure').textContent = empty ? sentence(measure(doc.toString())) : `Selected: ${sentence(measure(doc.sliceString(from, to)))}`;
  one('#title').textContent = title;
  document.title = `${title} ¶ Pilcrow`;
  keepRecent({ ...address, title, openedAt: Date.now() });
}

const fileName = (address: Address) => `${address.id.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.txt`;

setUpLooks();
setUpMenu();
one('#help-button').addEventListener('click', openHelp);
one('#share').addEventListener('click', share);
addEventListener('keydown', event => {
  const isHelp = event.key === 'F1' || (event.key === '/' && (event.ctrlKey || event.metaKey));

  if (!isHelp || event.defaultPrevented) return;
  event.preventDefault();
  openHelp();
});

const address = addressOfPage();

if (address) {
  one('#place').textContent = `${address.collection} / ${address.id}`;
  one('#title').textContent = address.id;
  start(address);
} else {
  failed('Its address is not a document’s name.');
}
