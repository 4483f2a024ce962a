// What all parts of the load share: the server, chance, the clock, the ledger, what is measured, and the end.
//
//   run.often(4, () => ...)        so many times a second, by the clock, whether or not the last one is done; returns a stop.
//                                  What is a second late, or has too many before it, is missed, and counted
//   run.again(async () => ...)     again and again until the end
//   await run.pause(ms)            shorter when the end comes
//   await run.finish()             no more work is begun, and what is under way is awaited
//   run.follow(async () => ...)    again and again until close(): who follows goes on until everything has come
//   await run.close()
import { Random } from '../../lib/random.mjs';
import { Ledger } from './ledger.mjs';

const LATE_MS = 1000;
const AT_ONCE_MAX = 20; // of one kind

export class Run {
  constructor(server, seed) {
    this.server = server;
    this.seed = seed;
    this.nChances = 0;
    this.ledger = new Ledger();
    this.shared = []; // pages that many write to all the time
    this.measured = emptyMeasures();
    this.nRefused = 0; // requests, as the load wanted it
    this.nCuts = 0;
    this.isOver = false;
    this.over = new Promise(resolve => (this.end = resolve));
    this.isClosed = false;
    this.working = new Set();
    this.following = new Set();
  }

  // Chance of one's own, so that what one does is the same in each run of a seed.
  chance() {
    return new Random(this.seed + 7919 * this.nChances++);
  }

  fault(sentence) {
    this.ledger.fault(sentence);
  }

  start(work, tasks = this.working) {
    const task = (async () => work())().catch(error => this.fault(error.stack)).finally(() => tasks.delete(task));

    tasks.add(task);
  }

  often(perSecond, work) {
    const period = 1000 / perSecond;
    let due = performance.now() + this.chance().next() * period;
    let isStopped = false;
    let nNow = 0;
    const counted = async () => {
      nNow++;
      try {
        await work();
      } finally {
        nNow--;
      }
    };
    const turn = () => {
      if (isStopped || this.isOver) return;
      for (; due <= performance.now(); due += period)
        if (nNow >= AT_ONCE_MAX || due < performance.now() - LATE_MS) this.measured.nMissed++;
        else this.start(counted);
      setTimeout(turn, due - performance.now());
    };

    setTimeout(turn, due - performance.now());
    return () => (isStopped = true);
  }

  again(work) {
    this.start(async () => {
      while (!this.isOver) await work();
    });
  }

  follow(work) {
    this.start(async () => {
      while (!this.isClosed) await work();
    }, this.following);
  }

  async pause(ms) {
    let timer;

    await Promise.race([this.over, new Promise(resolve => (timer = setTimeout(resolve, ms)))]);
    clearTimeout(timer);
  }

  async finish() {
    this.isOver = true;
    this.end();
    await until(() => !this.working.size, 'what was begun is done', this);
  }

  async close() {
    this.isClosed = true;
    await until(() => !this.following.size, 'who follows is done', this);
  }

  // What was measured since the last time.
  take() {
    const { measured } = this;

    this.measured = emptyMeasures();
    return measured;
  }
}

const emptyMeasures = () => ({ acknowledged: [], read: [], nWritten: 0, nMissed: 0 }); // milliseconds; operations acknowledged; turns

export async function until(holds, what, run, ms = 60_000) {
  const deadline = performance.now() + ms;

  while (!await holds()) {
    if (performance.now() > deadline) return run.fault(`not within ${ms / 1000} s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
