// A pilcrowd of one's own: started on a free port with a data directory of its own, killed, restarted, stopped.
//
//   const server = await startServer(t);          t: anything with after(), such as a test's context
//   server.url, server.port, server.data          "http://127.0.0.1:4711", 4711, its data directory
//   await server.kill(); await server.restart();  SIGKILL; again on the same port and data
//
// Environment: PILCROWD names the program (default: build/pilcrowd), PILCROWD_SANITIZED the same program built with
// address and undefined sanitizers, for tests of bad input; without it they run on PILCROWD.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers'; // the real ones, whatever a test pretends
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const pilcrowd = process.env.PILCROWD || join(root, 'build/pilcrowd');
export const pilcrowdSanitized = process.env.PILCROWD_SANITIZED || pilcrowd;
export const pilcrow = process.env.PILCROW || join(root, 'build/pilcrow');

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 20_000;

export function temporaryDirectory(t) {
  const path = mkdtempSync(join(tmpdir(), 'pilcrow-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

// Runs a program to its end. Returns { code, signal, stdout, stderr }; kills it after timeoutMs (signal SIGKILL).
export async function run(program, args, { input, env, timeoutMs = 20_000 } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let stdout = '';
  let stderr = '';

  child.stdout.setEncoding('utf8').on('data', text => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
  child.stdin.on('error', () => {}); // a program that does not read its input may end first
  child.stdin.end(input);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { code, signal, stdout, stderr };
}

class Server {
  constructor({ program, data, args, env }) {
    this.program = program;
    this.data = data;
    this.args = args;
    this.env = env;
    this.port = 0;
    this.child = null;
    this.output = ''; // both streams, since the last start
  }

  get webSocketUrl() {
    return `${this.url.replace('http', 'ws')}/v1/ws`;
  }

  get isRunning() {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid() {
    return this.child.pid;
  }

  async start() {
    const args = ['--data', this.data, '--listen', `127.0.0.1:${this.port}`, ...this.args];
    const child = spawn(this.program, args, { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });

    this.child = child;
    this.output = '';
    this.exited = new Promise(resolve => child.once('close', (code, signal) => resolve({ code, signal })));
    child.stderr.setEncoding('utf8').on('data', text => (this.output += text));
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no URL within ${START_TIMEOUT_MS} ms:\n${this.output}`)), START_TIMEOUT_MS);
      let stdout = '';

      child.once('error', reject);
      child.once('close', (code, signal) => reject(new Error(`server ended (${code ?? signal}):\n${this.output}`)));
      child.stdout.setEncoding('utf8').on('data', text => {
        stdout += text;
        this.output += text;
        const url = stdout.match(/(https?:\/\/127\.0\.0\.1:(\d+)\S*)\/\s/);
        if (url) {
          clearTimeout(timer);
          this.port = Number(url[2]);
          this.url = url[1];
          resolve();
        }
      });
    });
    return this;
  }

  // SIGKILL: no good-bye, no flush.
  async kill() {
    this.child.kill('SIGKILL');
    return this.exited;
  }

  // SIGTERM, and waits for the end. Returns { code, signal }.
  async stop() {
    if (!this.isRunning)
      return this.exited;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);

    this.child.kill('SIGTERM');
    const end = await this.exited;
    clearTimeout(timer);
    return end;
  }

  // SIGHUP, and waits until the server says so.
  async hangup(said) {
    const from = this.output.length;

    this.child.kill('SIGHUP');
    while (!said.test(this.output.slice(from)))
      await once(this.child.stderr, 'data');
  }

  // On the same port and data; the server must have ended.
  async restart() {
    return this.start();
  }
}

// options: program, data (default: a temporary directory), port (default: a free one), args, env.
export async function startServer(t, options = {}) {
  const server = new Server({
    program: options.program || pilcrowd,
    data: options.data || join(temporaryDirectory(t), 'data'),
    args: options.args || [],
    env: options.env || {},
  });

  server.port = options.port || 0;
  t.after(() => server.child !== null && server.kill());
  return server.start();
}

// CPU seconds (user and system) that a process has used so far; Linux.
export async function cpuSeconds(pid) {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');

  return (Number(fields[11]) + Number(fields[12])) / 100;
}

// Resident memory of a process in bytes; Linux.
export async function residentBytes(pid) {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');

  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)[1]) * 1024;
}
