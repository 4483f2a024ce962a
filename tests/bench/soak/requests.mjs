// HTTP: one request, timed, whose answer must have a status that is expected; and a whole document, held against the ledger.
import { Agent, request } from 'node:http';
import { isDeepStrictEqual } from 'node:util';

export const SNAPSHOT = { accept: 'application/vnd.pilcrow.snapshot+json' };
export const OPERATION = { 'content-type': 'application/vnd.pilcrow.op+json' };

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function send(server, method, path, { headers = {}, body, isLost = false }) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { port: server.port, host: '127.0.0.1', method, path, headers: { ...length, ...headers } };
    const call = request({ ...options, agent: isLost ? false : agent }, answer => {
      let text = '';

      answer.setEncoding('utf8').on('data', piece => (text += piece)).on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text, version: Number(answer.headers['pilcrow-version']) }));
    });

    call.on('error', error => (isLost ? resolve(null) : reject(error)));
    // The line breaks when the request has left, and before or after it has been answered.
    call.end(body, () => isLost && setTimeout(() => resolve(call.destroy() && null), 1));
  });
}

// statuses: what is expected. What is read is timed; what is refused is counted, since the load has wanted it.
export async function ask(run, method, path, { statuses = [200], ...options } = {}) {
  const began = performance.now();
  const answer = await send(run.server, method, path, options);

  if (!answer) return null;
  if (!statuses.includes(answer.status)) run.fault(`${method} ${path} was answered ${answer.status}: ${answer.text.slice(0, 300)}`);
  if (answer.status >= 400) run.nRefused++;
  if (method === 'GET' && !options.waits) run.measured.read.push(performance.now() - began);
  return answer;
}

export const json = async (...args) => JSON.parse((await ask(...args)).text);
export const envelope = (run, path, options) => json(run, 'GET', path, { headers: SNAPSHOT, ...options });

// The whole log, page by page.
export async function logOf(run, page) {
  const log = [];

  for (let head = 1; log.length < head; ) {
    const answer = await json(run, 'GET', `${page.path}/ops?from=${log.length}&limit=1000`);
    log.push(...answer.ops);
    head = answer.head;
  }
  return log;
}

// Holds the log of a document that nobody writes to against the ledger, and its snapshot against its log. Returns the snapshot.
export async function proven(run, page, nLeast) {
  const log = await logOf(run, page);
  const made = run.ledger.verify(page, log, nLeast);
  const { status, text } = await ask(run, 'GET', page.path, { headers: SNAPSHOT, statuses: [made.type ? 200 : 404] });
  const there = status === 200 ? JSON.parse(text) : { type: null, version: log.length };

  if (there.version !== log.length || !isDeepStrictEqual(there.data, made.data)) run.fault(`the snapshot of ${page.name} is not what its ${log.length} operations make`);
  return there;
}
