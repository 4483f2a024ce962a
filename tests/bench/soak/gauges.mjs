// What the server takes, looked at from outside and as it says itself, and how late the load's own clock is.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { cpuSeconds } from '../../lib/server.mjs';
import { startWitness } from './witness.mjs';

const PAGE_BYTES = 4096;

export async function figuresOf(server) {
  const text = await (await fetch(`${server.url}/metrics`)).text();

  return Object.fromEntries(text.split('\n').filter(line => /^pilcrow/.test(line)).map(line => [line.slice(8, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

// anon: memory of its own; heap: of that, what the loop's thread has of the C library, while other threads have arenas and large
// blocks are mapped by themselves; file: pages of the store's file that are mapped, which the system takes back when it wants to.
async function look({ server }) {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  const statm = await readFile(`/proc/${server.pid}/statm`, 'utf8');
  const smaps = await readFile(`/proc/${server.pid}/smaps`, 'utf8');
  const of = name => Number(status.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
  const says = await figuresOf(server);

  return {
    anon: of('RssAnon') * 1024,
    heap: Number(smaps.match(/\[heap\]\n[^]*?^Anonymous:\s+(\d+)/m)?.[1] ?? 0) * 1024,
    file: of('RssFile') * 1024,
    resident: Number(statm.split(' ')[1]) * PAGE_BYTES,
    threads: of('Threads'),
    fds: (await readdir(`/proc/${server.pid}/fd`)).length,
    says: says.process_resident_memory_bytes,
    store: (await stat(join(server.data, 'data.mdb'))).size,
    free: says.store_free_bytes,
    open: says.documents_open,
    idle: says.documents_idle,
  };
}

const median = values => values.sort((a, b) => a - b)[values.length >> 1];
const share = (values, part) => values[Math.max(0, Math.ceil(part * values.length) - 1)];

export class Gauges {
  constructor(run) {
    this.run = run;
    this.looks = [];
    this.delay = monitorEventLoopDelay({ resolution: 5 });
    this.rows = [];
    this.cpu = 0;
  }

  async start() {
    this.witness = await startWitness(this.run);
    this.delay.enable();
    this.run.take();
    await this.look();
    this.looks = [];
    this.cpu = await cpuSeconds(this.run.server.pid);
    this.began = performance.now();
  }

  async look() {
    this.looks.push(await look(this.run));
  }

  // A row of the table, of what was since the last. Figures of the process are medians.
  async row() {
    const { acknowledged, read, nWritten, nMissed } = this.run.take();
    const { acknowledged: witnessed, synced } = await this.witness.take();
    const [cpu, now] = [await cpuSeconds(this.run.server.pid), performance.now()];
    const row = Object.fromEntries(Object.keys(this.looks[0]).map(key => [key, median(this.looks.map(each => each[key]))]));

    acknowledged.sort((a, b) => a - b);
    read.sort((a, b) => a - b);
    witnessed.sort((a, b) => a - b);
    synced.sort((a, b) => a - b);
    Object.assign(row, {
      nWritten, nMissed, witnessed, synced, syncedP99: share(synced, 0.99), nRead: read.length, witnessedP50: share(witnessed, 0.5), witnessedP99: share(witnessed, 0.99),
      p50: share(acknowledged, 0.5), p99: share(acknowledged, 0.99), readP99: share(read, 0.99),
      cpu: (cpu - this.cpu) / ((now - this.began) / 1000), late: this.delay.percentile(99) / 1e6,
    });
    this.delay.reset();
    Object.assign(this, { cpu, began: now, looks: [] });
    this.rows.push(row);
    return row;
  }

  // How many operations were the witness's.
  async end() {
    return this.witness.end();
  }
}
