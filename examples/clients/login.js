// Somebody else logs in on this page: what waits goes along. Nobody speaks under the ids of another principal, so it goes
// as new edits, over a new connection; bind the editor to the document that is returned.
import { connect, disconnect } from './connect.js';
import { resume, waiting } from './waiting.js';

export function logIn(address, doc) {
  const { v, ops } = waiting(doc);

  disconnect(doc.connection);
  return resume(connect(address), doc.collection, doc.id, { v, ops: ops.map(({ op }) => ({ op })) });
}
