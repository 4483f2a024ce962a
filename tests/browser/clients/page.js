// What the pages of the clients have in common. ?server=ws://…&id=… says what to open; window.client is for the test.
import { connect, open } from '../../../examples/clients/connect.js';
import { beforeTakenBack } from '../../../examples/clients/rescue.js';
import { resume, waiting } from '../../../examples/clients/waiting.js';

const query = new URLSearchParams(location.search);

export const name = query.get('name');
export const root = document.body.appendChild(document.createElement('main'));

export const address = () => `${query.get('server')}?access_token=${sessionStorage.getItem('token') ?? ''}`;

export async function openDocument(type, initial) {
  const connection = connect(address);
  const refusals = [];
  const kept = JSON.parse(sessionStorage.getItem('waiting'));
  const id = query.get('id');
  const doc = kept?.ops.length ? await resume(connection, 'clients', id, kept) : await open(connection, 'clients', id, type, initial);

  addEventListener('pagehide', () => sessionStorage.setItem('waiting', JSON.stringify(waiting(doc))));
  beforeTakenBack(doc, ({ code }) => refusals.push({ code, text: window.client.text() }));
  window.client = { connection, doc, refusals };
  return doc;
}

// Everything is bound; text(): what the user sees.
export const ready = client => {
  Object.assign(window.client, client);
  document.documentElement.dataset.state = 'ready';
};
