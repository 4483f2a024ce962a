// The edits that wait for their acknowledgement, as JSON; and a document that goes on with them: after a reload, or over
// another connection. By `src` and `seq` the server knows those that it already has.
import { promised } from './connect.js';

export const waiting = doc => ({
  v: doc.version,
  ops: [doc.inflightOp, ...doc.pendingOps].filter(one => one?.op).map(({ op, src, seq }) => ({ op, src, seq })),
});

export async function resume(connection, collection, id, { v, ops }) {
  const { type, data } = await promised(done => connection.fetchSnapshot(collection, id, v, done));
  const doc = connection.get(collection, id);

  doc.on('error', error => console.error(error));
  doc.ingestSnapshot({ v, type, data });
  doc.preventCompose = true;
  for (const { op, src, seq } of ops) {
    doc.submitOp(op);
    if (src) Object.assign(doc.pendingOps.at(-1), { src, seq });
  }
  doc.preventCompose = false;
  await promised(done => doc.subscribe(done));
  return doc;
}
