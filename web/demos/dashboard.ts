// The server's own figures. One of the open windows, the leader, reads /metrics every second and writes what it read into
// the document; the others follow. To lead is a lease in the document: whoever finds it run out takes it, on the condition
// that it still is what he has seen, so that of two who try one succeeds. The leader renews it with every sample.
import { url } from '../src/address.ts';
import { make, one } from '../src/dom.ts';
import { change, me } from './document.ts';
import { Page } from './page.ts';

type Sample = Record<string, number>; // by the keys of `figures`, and `at` in milliseconds since 1970

interface Dashboard {
  leader: { id: string; until: number };
  samples: Sample[]; // the newest last; counters as they are, rates are made when they are shown
}

interface Figure {
  title: string;
  metric: RegExp; // the lines of /metrics whose values are added up
  per?: 'second' | RegExp; // how fast that grows; or by how much for each one of what the other lines count
  text(value: number): string;
}

const SAMPLES_MAX = 60;
const TICK_MS = 1000;
const LEASE_MS = 8000; // longer than a follower goes without news
const plain = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
const figures: Record<string, Figure> = {
  operations: { title: 'Operations a second', metric: /^pilcrow_operations_committed_total /, per: 'second', text: plain },
  requests: { title: 'HTTP requests a second', metric: /^pilcrow_http_requests_total[ {]/, per: 'second', text: plain },
  lines: { title: 'Lines kept open', metric: /^pilcrow_(sessions|http_streams|http_waiting) /, text: plain },
  commit: {
    title: 'A commit takes',
    metric: /^pilcrow_commit_duration_seconds_sum /,
    per: /^pilcrow_commit_duration_seconds_count /,
    text: value => `${plain(value * 1000)} ms`,
  },
  memory: { title: 'Memory', metric: /^pilcrow_process_resident_memory_bytes /, text: value => `${plain(value / 1e6)} MB` },
  store: { title: 'Store', metric: /^pilcrow_store_bytes /, text: value => `${plain(value / 1e6)} MB` },
};

let board: Dashboard = { leader: { id: '', until: 0 }, samples: [] };

const page = new Page<Dashboard>({ id: 'dashboard', first: board, show });

function show(now: Dashboard): void {
  board = structuredClone(now);
  one('#leader').textContent = leads() ? 'This window measures, for all that are open.' : 'Another window measures; this one follows.';
  for (const key of Object.keys(figures)) if (board.samples.at(-1)?.[key] !== undefined) draw(key);
}

// ---- the leader: measures and writes --------------------------------------------------------------------------------

const leads = () => board.leader.id === me;
let isBusy = false;

async function tick(): Promise<void> {
  if (isBusy || !document.documentElement.dataset.way) return; // nothing was seen yet
  if (!leads() && board.leader.until > Date.now()) return;
  isBusy = true;
  try {
    await write(await measure());
  } catch {
    // The strip says that the server does not answer.
  } finally {
    isBusy = false;
  }
}

async function measure(): Promise<Sample> {
  const lines = (await (await fetch(url('metrics'))).text()).split('\n');
  const sample: Sample = { at: Date.now() };
  const add = (key: string, metric: RegExp) => {
    for (const line of lines) if (metric.test(line)) sample[key] = (sample[key] ?? 0) + Number(line.split(' ').at(-1));
  };

  for (const [key, { metric, per }] of Object.entries(figures)) {
    add(key, metric);
    if (per instanceof RegExp) add(`${key}/`, per);
  }
  return sample;
}

async function write(sample: Sample): Promise<void> {
  const { id, until } = board.leader;
  const lease = { id: me, until: Date.now() + LEASE_MS };
  const version = await change(page.address, [
    { op: 'test', path: '/leader/id', value: id },
    ...(leads() ? [] : [{ op: 'test', path: '/leader/until', value: until } as const]),
    { op: 'replace', path: '/leader', value: lease },
    { op: 'add', path: '/samples/-', value: sample },
    ...(board.samples.length < SAMPLES_MAX + 1 ? [] : [{ op: 'remove', path: '/samples/0' } as const]),
  ]);

  // Beaten: the news of who leads is on its way.
  board.leader = version === null ? { id: '', until: lease.until } : lease;
}

// Not to let the others wait until the lease has run out.
function resign(): void {
  if (leads()) void change(page.address, [{ op: 'test', path: '/leader/id', value: me }, { op: 'replace', path: '/leader', value: { id: '', until: 0 } }]);
}

setInterval(tick, TICK_MS);
addEventListener('pagehide', resign);

// ---- everybody: shows -----------------------------------------------------------------------------------------------

const WIDTH = 300;
const HEIGHT = 90;

function draw(key: string): void {
  const { title, text } = figures[key]!;
  const values = valuesOf(key);
  const top = Math.max(...values) * 1.1 || 1;
  const points = values.map((value, i) => `${(((i + SAMPLES_MAX - values.length) / (SAMPLES_MAX - 1)) * WIDTH).toFixed(1)},${(HEIGHT * (1 - value / top)).toFixed(1)}`);
  const now = values.length ? text(values.at(-1)!) : '–';
  const card = document.querySelector(`#charts [data-key="${key}"]`) ?? one('#charts').appendChild(blank(key, title));

  card.querySelector('b')!.textContent = now;
  card.querySelector('svg')!.setAttribute('aria-label', `${title}, the last minute; now ${now}, at most ${text(Math.max(0, ...values))}`);
  card.querySelector('polyline')!.setAttribute('points', points.join(' '));
  card.querySelector('polygon')!.setAttribute('points', points.length ? `${points[0]!.split(',')[0]},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}` : '');
  card.querySelector('small')!.textContent = values.length ? `at most ${text(Math.max(...values))}` : '';
}

// Counters are written as they are, so that a sample that somebody missed does no harm; here they become rates.
function valuesOf(key: string): number[] {
  const { per } = figures[key]!;
  const samples = board.samples.slice(-SAMPLES_MAX - 1);

  if (!per) return samples.slice(-SAMPLES_MAX).map(sample => sample[key] ?? 0);
  return samples.slice(1).map((sample, i) => {
    const grown = (name: string) => Math.max(0, (sample[name] ?? 0) - (samples[i]![name] ?? 0));

    return grown(key) / (per === 'second' ? (sample.at! - samples[i]!.at!) / 1000 || 1 : grown(`${key}/`) || 1);
  });
}

function blank(key: string, title: string): HTMLElement {
  const svg = `<svg role="img" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"><polygon/><polyline/></svg>`;
  const card = make('section', { className: 'card chart' }, make('h2', { textContent: title }), make('p', {}, make('b'), ' ', make('small')));

  card.dataset.key = key;
  card.insertAdjacentHTML('beforeend', svg);
  return card;
}
