#!/usr/bin/env node
// Hocuspocus as it comes: documents in memory, no hooks; prints its address.
import { Server } from '@hocuspocus/server';

const server = new Server({ address: '127.0.0.1', port: 0, quiet: true }, { perMessageDeflate: false });

await server.listen();
console.log(`http://127.0.0.1:${server.httpServer.address().port}/`);
