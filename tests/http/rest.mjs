// Asking over HTTP, for the tests of this folder. Every answer is held against /openapi.json.
import { request } from 'node:http';
import { after } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { check } from './contract.mjs';

export const server = await startServer({ after });
export const TEXT = { 'content-type': 'text/plain' };
export const SNAPSHOT = 'application/vnd.pilcrow.snapshot+json';
export const OP = 'application/vnd.pilcrow.op+json';

// The answer, with its body as text. path: as it goes over the line.
export const ask = (method, path, options) => askAt(server, method, path, options);

export function askAt(at, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const call = request({ port: at.port, host: '127.0.0.1', method, path, headers: { ...length, ...headers } }, answer => {
      let text = '';

      answer.setEncoding('utf8').on('data', piece => (text += piece));
      answer.on('end', () => resolve(checked(method, path, { status: answer.statusCode, headers: answer.headers, text })));
    });

    call.on('error', reject);
    call.end(body);
  });
}

// The same answer, when the contract has it.
export async function checked(method, path, answer) {
  check(method, path, answer);
  return {
    ...answer,
    get json() {
      return JSON.parse(answer.text);
    },
    get code() {
      return JSON.parse(answer.text).code;
    },
  };
}

export const get = (path, headers) => ask('GET', path, { headers });
export const put = (path, body, headers) => ask('PUT', path, { body, headers: { ...TEXT, ...headers } });
export const opsOf = async path => (await get(`${path}/ops`)).json.ops;
