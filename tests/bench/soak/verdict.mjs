// Whether it went well: what has to hold in the end, with the figures it is judged by, and the tables.
//
//   judge(rows)        [{ what, isGood, said }]; rows: one a minute, of gauges.mjs
//   minuteTable(rows), windowTable(rows)     the second for the page: five minutes a row
//
// Memory is flat when its median in the last five minutes is at most 5 % + 2 MB above that of minutes 6 to 10, and when no
// more than that would be gained along its slope, the median of those between all pairs of minutes from the sixth on.
import { bytes, count, digits, percent, row, time } from '../page.mjs';

const WINDOW = 5; // minutes
const LEAST = 3 * WINDOW; // minutes below which neither memory nor times are judged
const GROWTH = 0.05;
const GROWTH_BYTES = 2e6;
const SLOWER = 3;
const MISSED = 0.01; // of what the load should have done; beyond that it is not the server that is measured

const sorted = values => values.toSorted((a, b) => a - b);
const median = values => sorted(values)[values.length >> 1];
const p99 = (rows, key) => {
  const times = sorted(rows.flatMap(row => row[key]));
  return times[Math.max(0, Math.ceil(0.99 * times.length) - 1)];
};

function windowsOf(rows) {
  const windows = [];

  for (let i = 0; i < rows.length; i += WINDOW) windows.push(rows.slice(i, i + WINDOW));
  if (windows.length > 1 && windows.at(-1).length < WINDOW) windows.splice(-2, 2, windows.slice(-2).flat());
  return windows;
}

function slopeOf(values) {
  return median(values.flatMap((value, i) => values.slice(0, i).map((former, j) => (value - former) / (i - j))));
}

export function judge(rows) {
  if (rows.length < LEAST) return [{ what: 'memory and times', isGood: true, said: `not judged below ${LEAST} minutes` }];
  const anon = rows.map(each => each.anon);
  const former = median(anon.slice(WINDOW, 2 * WINDOW));
  const last = median(anon.slice(-WINDOW));
  const most = GROWTH * former + GROWTH_BYTES;
  const late = anon.slice(WINDOW);
  const gained = slopeOf(late) * (late.length - 1);
  const [first, ...others] = windowsOf(rows).map(window => p99(window, 'witnessed'));
  const slowest = Math.max(...others);
  const sum = key => rows.reduce((n, each) => n + each[key], 0);
  const missed = sum('nMissed') / (sum('nMissed') + sum('nWritten') + sum('nRead'));

  return [
    { what: 'memory in the last five minutes as in minutes 6 to 10', isGood: last - former <= most, said: `${bytes(former)}, then ${bytes(last)}; ${bytes(most)} more are allowed` },
    { what: 'memory without a slope', isGood: gained <= most, said: `${gained < 0 ? '-' : ''}${bytes(Math.abs(gained))} over ${late.length - 1} minutes` },
    { what: 'p99 of the witness in each later five minutes', isGood: slowest <= SLOWER * first, said: `${time(first)} at first, at most ${time(slowest)} later; ${SLOWER} times that are allowed` },
    { what: 'a machine with time for this load', isGood: missed <= MISSED, said: `${percent(missed)} of it was left out` },
  ];
}

const ruler = cells => row(cells.map((_, i) => (i ? '--:' : '---')));
const table = (head, rows) => [row(head), ruler(head), ...rows.map(row)].join('\n');

export const minuteTable = rows => table(
  ['minute', 'operations', 'p50', 'p99', 'of the witness', 'p99', 'the disk', 'HTTP reads', 'p99', 'memory', 'of the heap', 'mapped', 'resident', 'it says', 'descriptors', 'threads', 'store', 'free', 'documents', 'idle', 'CPU', 'the load is late', 'missed'],
  rows.map((r, i) => [i + 1, count(r.nWritten), time(r.p50), time(r.p99), time(r.witnessedP50), time(r.witnessedP99), time(r.syncedP99), count(r.nRead), time(r.readP99), bytes(r.anon), bytes(r.heap), bytes(r.file), bytes(r.resident), bytes(r.says),
    r.fds, r.threads, bytes(r.store), bytes(r.free), r.open, r.idle, percent(r.cpu), time(r.late), r.nMissed]),
);

export function windowTable(rows) {
  let minute = 0;

  return table(
    ['minutes', 'operations', 'p50, p99 of the witness', 'p99 of the disk alone', 'of the editors', 'HTTP reads', 'p99', 'memory', 'pages of the store mapped', 'descriptors', 'store', 'CPU'],
    windowsOf(rows).map(window => {
      const all = key => window.map(each => each[key]);
      const sum = key => all(key).reduce((a, b) => a + b, 0);
      const from = minute + 1;
      minute += window.length;
      return [`${from} - ${minute}`, count(sum('nWritten')), `${time(median(all('witnessedP50')))}, ${time(p99(window, 'witnessed'))}`, time(p99(window, 'synced')), `${time(median(all('p50')))}, ${time(median(all('p99')))}`, count(sum('nRead')), time(median(all('readP99'))), bytes(median(all('anon'))),
        bytes(median(all('file'))), digits(median(all('fds'))), bytes(window.at(-1).store), percent(sum('cpu') / window.length)];
    }),
  );
}
