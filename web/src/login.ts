// Who one is to the server. Where it has a list of tokens it answers 401 to whoever shows none of them; the page then asks
// for one, shows it with every request, and goes on where it stood.
import { url } from './address.ts';
import { make } from './dom.ts';
import { forgetToken, keepToken, ownToken } from './keep.ts';

export interface Me {
  principal: string;
  rights: readonly string[];
}

const AGAIN_MS = 2_000;
const ANSWER_MS = 10_000; // no answer within this is none
const ANYONE: Me = { principal: 'anyone', rights: ['read', 'write', 'admin'] };

// The name of the account; '' where there are none.
export const accountOf = (me: Me | null) => (me && me.principal !== ANYONE.principal ? me.principal : '');

// Headers for a request to the server.
export function withToken(headers: Record<string, string> = {}, token = ownToken()): Record<string, string> {
  return token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

// 'refused': the server does not know the token. null: there is no telling just now.
async function whoIs(token: string): Promise<Me | 'refused' | null> {
  if (!/^[\x21-\x7e]*$/.test(token)) return 'refused';
  const headers = withToken({ Accept: 'application/json' }, token);
  const answer = await fetch(url('v1/me'), { headers, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);

  if (answer?.status === 401) return 'refused';
  if (answer?.status === 404) return ANYONE; // a server that knows of no tokens
  return answer?.ok ? ((await answer.json().catch(() => null)) as Me | null) : null;
}

export interface GateEvents {
  admitted(me: Me): void;
  shut(): void; // a token is asked for
}

export class Gate {
  private readonly input = make('input', { className: 'field', type: 'password', required: true, autocomplete: 'current-password' });
  private readonly stays = make('input', { type: 'checkbox' });
  private readonly fault = make('p', { className: 'fault' });
  private readonly dialog: HTMLDialogElement;
  private isChecking = false;
  private isKnown = false; // who one is; until then nobody writes

  constructor(private readonly events: GateEvents) {
    this.dialog = this.makeDialog();
  }

  // Asks the server, and the user where the server wants a token.
  async check(): Promise<void> {
    if (this.isChecking || this.dialog.open) return;
    this.isChecking = true;
    const answer = await whoIs(ownToken());

    this.isChecking = false;
    if (answer === 'refused') this.ask(ownToken() ? 'The server does not know your token any more. What you have written stays on this page.' : '');
    else if (answer) this.admit(answer);
    else if (!this.isKnown) setTimeout(() => this.check(), AGAIN_MS);
  }

  ask(fault = ''): void {
    if (this.dialog.open) return;
    this.fault.textContent = fault;
    this.input.value = '';
    this.dialog.showModal();
    this.events.shut();
  }

  private async submit(): Promise<void> {
    const token = this.input.value.trim();
    const answer = await whoIs(token);

    if (answer === null) {
      this.fault.textContent = 'The server can’t be reached just now.';
    } else if (answer === 'refused') {
      this.fault.textContent = 'The server does not know this token.';
      this.input.select();
    } else {
      keepToken(token, this.stays.checked);
      this.dialog.close();
      this.admit(answer);
    }
  }

  private admit(me: Me): void {
    this.isKnown = true;
    this.events.admitted(me);
  }

  private makeDialog(): HTMLDialogElement {
    const title = make('h2', { id: 'login-title', textContent: 'This server asks for a token' });
    const hint = make('p', { className: 'hint', textContent: 'Whoever runs it gives them out.' });
    const actions = make('div', { className: 'dialog-actions' }, make('button', { className: 'button is-main', textContent: 'Log in' }));
    const form = make('form', {}, title, hint, this.input, this.fault, make('label', { className: 'check' }, this.stays, 'Stay logged in'), actions);
    const dialog = make('dialog', { id: 'login' }, form);

    this.input.setAttribute('aria-label', 'Token');
    this.fault.setAttribute('role', 'alert');
    dialog.setAttribute('aria-labelledby', title.id);
    form.addEventListener('submit', event => {
      event.preventDefault();
      void this.submit();
    });
    document.body.append(dialog);
    return dialog;
  }
}

export function setUpLogout(button: HTMLElement): void {
  button.hidden = !ownToken();
  button.onclick = () => {
    forgetToken();
    location.reload();
  };
}
