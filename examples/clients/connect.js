// A connection that comes back, and a document that is followed.
import { Connection } from 'sharedb/lib/client/index.js';

// address(): "wss://example.org/v1/ws", asked anew for every socket. What waits is sent again over the next one.
export function connect(address) {
  const connection = new Connection(new WebSocket(address()));
  const again = () => connection.bindToSocket(new WebSocket(address()));

  connection.on('disconnected', () => setTimeout(again, 500 + 1000 * Math.random()));
  connection.on('error', error => console.error(error));
  return connection;
}

export function disconnect(connection) {
  connection.removeAllListeners('disconnected');
  connection.close();
}

// The document; it begins with `initial` if there is none yet. Of two who begin it at once the first does.
export async function open(connection, collection, id, type, initial) {
  const doc = connection.get(collection, id);

  doc.on('error', error => error.code !== 'ERR_DOC_ALREADY_CREATED' && console.error(error));
  await promised(done => doc.subscribe(done));
  if (doc.type === null)
    await promised(done => doc.create(initial, type, done)).catch(async error => {
      await promised(done => doc.fetch(done));
      if (doc.type === null) throw error;
    });
  return doc;
}

export const promised = call => new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
