// One truth about where the text is. "Saved" is said only when the server has acknowledged everything, and it
// acknowledges what lies safely on its disk; and when it leads on from the version that is here.
import type { LinkState } from './link.ts';

export interface Facts {
  isOpen: boolean; // the document has been loaded, and the server has said what one may do
  isDeleted: boolean;
  link: LinkState;
  retryInMs: number; // with link "waiting"
  isFollowing: boolean; // the server says what others do
  isWritePending: boolean;
  nWaiting: number; // own edits not acknowledged
}

export type StatusName = 'opening' | 'saved' | 'saving' | 'offline' | 'locked' | 'deleted';

export interface Status {
  name: StatusName;
  text: string; // what the page shows
  detail: string; // when it tries again; changes every second and is not announced
}

const count = (n: number) => (n === 1 ? '1 edit' : `${n} edits`);

export function statusOf(facts: Facts): Status {
  if (facts.isDeleted) return { name: 'deleted', text: 'Deleted', detail: '' };
  if (facts.link === 'connected') return onLine(facts);
  if (facts.link === 'refused') return locked(facts);
  return offLine(facts);
}

function locked(facts: Facts): Status {
  return { name: 'locked', text: `Not logged in${facts.isWritePending ? ` — ${count(Math.max(1, facts.nWaiting))} waiting` : ''}`, detail: '' };
}

function onLine(facts: Facts): Status {
  if (!facts.isOpen) return { name: 'opening', text: 'Opening…', detail: '' };
  if (facts.isWritePending) return { name: 'saving', text: 'Saving…', detail: '' };
  if (!facts.isFollowing) return { name: 'saving', text: 'Catching up…', detail: '' };
  return { name: 'saved', text: 'Saved', detail: '' };
}

function offLine(facts: Facts): Status {
  const seconds = Math.max(1, Math.ceil(facts.retryInMs / 1000));
  const detail = facts.link === 'waiting' ? `Reconnecting in ${seconds} s` : 'Reconnecting…';

  if (!facts.isOpen && facts.link === 'connecting') return { name: 'opening', text: 'Opening…', detail: '' };
  if (!facts.isOpen) return { name: 'offline', text: 'No connection', detail };
  if (facts.isWritePending) return { name: 'offline', text: `Offline — ${count(Math.max(1, facts.nWaiting))} waiting`, detail };
  return { name: 'offline', text: 'Offline', detail };
}
