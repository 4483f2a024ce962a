// What ./dev bench server measures: a load each, and the rows that are read off it, with their goals.
//
//   work     { key, mode, n, args, outstanding, skip, more: [keys of servers], rows: [row, ...] }
//   row      { name, value: measured => number, show: value => text, goals: [goal, ...] }, perhaps latency: measured => times;
//              per: measured => how many of them took the server's CPU time; panel, short: where in the picture, and its name there
//   goal     { beside: 'sharedb' or another server's key, or nothing: a figure of its own; value: (if another than the row's); what: a name for
//              it; least or most: times the other's; neither: no goal, just how much of it }
import { bytes, count, digits, time } from './page.mjs';

const perSecond = m => m.per_second;
const p50 = m => m.acknowledged_ms.p50;
const beside = (sharedb, sync) => [{ beside: 'sharedb', least: sharedb }, { beside: 'sync', least: sync }];
const rate = { panel: 'second', value: perSecond, show: value => `${count(Math.round(value))}/s`, per: m => m.acknowledged };

const submit = (key, n, outstanding, goals, { name, args = [], more = ['hocuspocus'] } = {}) => ({
  key, mode: 'submit', n, outstanding, args, more,
  rows: [{ ...rate, name: name ?? `submit, ${count(n)} client${n > 1 ? `s on ${count(n)} documents` : ''}, ${outstanding} outstanding`, latency: m => m.acknowledged_ms, goals }],
});

const deliveriesPerCpuSecond = m => m.told / m.server_cpu_s;
const fanOut = n => ({
  key: `fan-out-${n}`, mode: 'fan-out', n, outstanding: 8, args: [], more: ['hocuspocus', 'each'],
  rows: [{
    panel: 'cpu', short: `fan-out to ${count(n)}`, name: `fan-out to ${count(n)}, 8 operations on their way: deliveries a server CPU-second`, value: deliveriesPerCpuSecond,
    show: value => `${count(Math.round(value / 1000))} k`, latency: m => m.told_ms, per: m => m.told,
    goals: [{ beside: 'sharedb', least: 5 }, { beside: 'each', least: 1, what: 'echo one by one' }, { beside: 'echo' }],
  }],
});

export const works = [
  submit('submit-1', 1, 1, [
    { beside: 'sharedb', most: 2.1, value: p50, what: 'p50' },
    { beside: 'sync', most: 3, value: p50, what: 'p50' },
    { beside: 'postgres', most: 0.5, value: p50, what: 'p50' },
  ], { more: ['hocuspocus', 'postgres'] }),
  submit('submit-64', 64, 1, beside(3, 0.6), { more: ['hocuspocus', 'postgres'] }),
  submit('submit-64x8', 64, 8, beside(50, 0.45)),
  submit('submit-512', 512, 1, beside(3.5, 0.6)),
  submit('large', 8, 1, beside(100, 0.55), { name: '8 writers in documents of 1,000,000 characters', args: ['--text', 1000000], more: ['postgres'] }),
  {
    key: 'contend', mode: 'contend', n: 8, outstanding: 1, args: [], writers: 8, more: ['postgres'],
    rows: [{ ...rate, name: 'contend: 8 subscribed writers on one document', latency: m => m.acknowledged_ms, goals: beside(4.5, 0.55) }],
  },
  submit('session', 1, 8, [], { name: 'a writing session, 1 client, 8 outstanding (ShareDB: 1)', more: [] }),
  fanOut(100),
  fanOut(1000),
  {
    key: 'paced', mode: 'fan-out', n: 100, outstanding: 1, args: ['--rate', 100, '--seconds', 5], more: ['postgres'],
    rows: [{
      panel: 'p99', short: '100 operations/s to 100 readers', name: 'fan-out p99 at 100 operations/s to 100 readers', value: m => m.told_ms.p99, show: time, latency: m => m.told_ms, per: m => m.told,
      goals: [{ beside: 'sharedb', most: 1 }, { beside: 'sync', most: 1.3 }],
    }],
  },
  {
    key: 'idle', mode: 'idle', n: 2000, outstanding: 1, args: ['--warm', 0],
    rows: [
      { panel: 'memory', short: 'one document for all', name: '2,000 idle subscribed connections: memory each', value: m => m.memory, show: bytes, goals: [{ beside: 'sharedb', most: 1 / 3 }, { most: 8192 }] },
      { panel: 'second', short: 'connects of 2,000 that subscribe', name: '2,000 idle subscribed connections: connects a second', value: m => m.joins_per_second, show: value => `${count(Math.round(value))}/s`, goals: [{ beside: 'sharedb', least: 4 }] },
    ],
  },
  {
    key: 'idle-documents', mode: 'idle', n: 2000, outstanding: 1, args: ['--warm', 0, '--documents', 2000],
    rows: [
      { panel: 'memory', short: 'a document for each', name: '2,000 idle subscribed connections, each with a document of its own: memory each', value: m => m.memory_with_document, show: bytes, goals: [] },
      { name: 'an open document more: memory', value: m => m.memory_with_document - m.memory, show: bytes, goals: [] },
    ],
  },
  {
    key: 'idle-subscriptions', mode: 'idle', n: 51, outstanding: 1, args: ['--warm', 0, '--documents', 1000, '--follow-all'], skip: ['echo', 'sync'],
    rows: [{ name: 'a subscription more, 1,000 of a connection: memory', value: m => m.memory_of_subscription, show: bytes, goals: [] }],
  },
  {
    key: 'open', mode: 'open', n: 8, outstanding: 1, args: [],
    rows: [{ ...rate, name: 'open (fetch) with 10,000 operations of history, warm', latency: m => m.told_ms, per: m => m.answered, goals: [{ beside: 'sharedb', least: 2 }] }],
  },
  {
    key: 'catch-up', mode: 'catch-up', n: 1, outstanding: 1, args: [], skip: ['echo', 'sync'],
    rows: [{ ...rate, name: 'catch up by 10,000 operations', per: m => m.told, goals: [{ beside: 'sharedb', least: 10 }] }],
  },
];

export const showGoal = goal => {
  const factor = goal.least ?? goal.most;
  const what = goal.beside ? (factor < 1 ? `${digits(100 * factor)} %` : `${digits(factor)}x`) : bytes(factor);

  return `${goal.what ? `${goal.what} ` : ''}${goal.least ? '>=' : '<='} ${what}`;
};
