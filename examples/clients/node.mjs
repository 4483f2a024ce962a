// A program: node node.mjs ws://127.0.0.1:8080/v1/ws "one more line"
import WebSocket from 'ws';
import { Connection, types } from 'sharedb/lib/client/index.js';
import { type } from 'ot-text-unicode';

types.register(type);

const [address, line] = process.argv.slice(2);
const connection = new Connection(new WebSocket(address));
const doc = connection.get('notes', 'log');

doc.subscribe(error => {
  if (error) throw error;
  if (doc.type === null) doc.create('', type.uri);
  doc.submitOp([[...doc.data].length, `${line}\n`], error => {
    if (error) throw error;
    process.stdout.write(doc.data); // acknowledged: it is on the disk
    connection.close();
  });
});
