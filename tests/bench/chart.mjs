// Pictures of figures: horizontal bars on a logarithmic scale, as an SVG that is readable on light and on dark paper.
//
//   chart({ title, panels: [panel, ...] })      the SVG, as text
//
//   panel    { title, series: ['1 follower', ...], format: value => '3 ms', groups: [group, ...] }
//   group    { name: 'polling', bars: [bar, ...] }, one bar a series
//   bar      { value, upTo, label }     upTo: where a thin line behind the bar ends (a p99); label: instead of format(value)
//
// The scale is of the powers of ten around all values. What is 0 has no bar, and a label all the same. A label stands
// behind its bar, in room that is kept free for the longest of them.

const WIDTH = 860;
const CHARACTER = 6.7; // of the 12 px font, at most
const EDGE = 20;
const BAR = 13;
const STEP = 16; // from bar to bar
const BETWEEN_GROUPS = 12;

const style = `
    text { font: 12px system-ui, sans-serif; fill: #26221c }
    .title { font-size: 17px; font-weight: 600 }
    .panel { font-size: 13.5px; font-weight: 600 }
    .tick, .legend { fill: #6a6154 }
    .value { paint-order: stroke; stroke: #fffdf8; stroke-width: 4px }
    .paper { fill: #fffdf8 }
    .grid { stroke: #e4dccb }
    .reach { stroke: #6a6154; stroke-width: 1.5 }
    .only, .last { fill: #a8321f }
    .middle { fill: #d0705d }
    .first { fill: #e8b9ad }
    @media (prefers-color-scheme: dark) {
      text { fill: #e9e2d5 }
      .tick, .legend { fill: #a89e8d }
      .value { stroke: #1d1b17 }
      .paper { fill: #1d1b17 }
      .grid { stroke: #35312a }
      .reach { stroke: #a89e8d }
      .only, .last { fill: #f0836c }
      .middle { fill: #b25f4e }
      .first { fill: #74443b }
    }`;

const escape = text => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const text = (x, y, words, kind = '', anchor = 'start') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${kind && ` class="${kind}"`} text-anchor="${anchor}">${escape(words)}</text>`;
const widest = labels => CHARACTER * Math.max(0, ...labels.map(label => label.length));
const shades = { 1: ['only'], 2: ['first', 'last'], 3: ['first', 'middle', 'last'] };

// The powers of ten between which all lies that is above 0; the least of it has a bar, too.
function scaleOf({ groups }) {
  const values = groups.flatMap(group => group.bars.flatMap(bar => [bar.value, bar.upTo ?? 0])).filter(value => value > 0);
  const low = 10 ** (Math.ceil(Math.log10(Math.min(...values))) - 1);
  const high = 10 ** Math.ceil(Math.log10(Math.max(...values)));

  if (!(low > 0 && low < high)) throw new RangeError('a logarithmic scale wants a value above 0');
  return { low, high };
}

// As many powers of ten as have room for their labels.
function ticksOf({ low, high }, width, format) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const powers = Array.from({ length: Math.floor(Math.log10(high) + 1e-9) - first + 1 }, (_, i) => 10 ** (first + i));
  const each = width / Math.log10(high / low);
  const room = widest(powers.map(format)) + 12;

  return powers.filter((_, i) => i % Math.ceil(room / each) === 0);
}

const labelOf = (panel, bar) => bar.label ?? panel.format(bar.value);

function drawBar(panel, bar, kind, y, at) {
  const x = at(0);
  const parts = [];
  let end = at(bar.value);

  if (end > x) parts.push(`<rect x="${x.toFixed(1)}" y="${y}" width="${(end - x).toFixed(1)}" height="${BAR}" class="${kind}"/>`);
  if (bar.upTo > bar.value) {
    const far = at(bar.upTo);

    parts.push(`<path d="M${end.toFixed(1)} ${y + BAR / 2}H${far.toFixed(1)}m0 -4v8" class="reach" fill="none"/>`);
    end = far;
  }
  return [...parts, text(end + 7, y + BAR - 2.5, labelOf(panel, bar), 'value')];
}

function drawLegend(panel, kinds, x, y) {
  return panel.series.flatMap((name, i) => {
    const at = x;

    x += widest([name]) + 34;
    return [`<rect x="${at.toFixed(1)}" y="${y - 10}" width="12" height="12" class="${kinds[i]}"/>`, text(at + 17, y, name, 'legend')];
  });
}

// Returns its parts and the y below it.
function drawPanel(panel, top, left) {
  const kinds = shades[panel.series.length];
  const right = WIDTH - EDGE - 7 - widest(panel.groups.flatMap(group => group.bars.map(bar => labelOf(panel, bar))));
  const scale = scaleOf(panel);
  const at = value => (value > 0 ? left + ((right - left) * Math.log(value / scale.low)) / Math.log(scale.high / scale.low) : left);
  const parts = [text(EDGE, top + 14, panel.title, 'panel')];
  let y = top + 30;

  if (!kinds) throw new RangeError('a panel has one to three series');
  if (kinds.length > 1) {
    parts.push(...drawLegend(panel, kinds, left, y + 6));
    y += 20;
  }
  const bars = [];
  const beginning = y;
  for (const { name, bars: ofGroup } of panel.groups) {
    bars.push(text(left - 10, y + (ofGroup.length * STEP) / 2 + 2.5, name, '', 'end'));
    ofGroup.forEach((bar, i) => bars.push(...drawBar(panel, bar, kinds[i], y + i * STEP, at)));
    y += ofGroup.length * STEP + BETWEEN_GROUPS;
  }
  for (const tick of ticksOf(scale, right - left, panel.format)) {
    const x = at(tick).toFixed(1);

    parts.push(`<path d="M${x} ${beginning - 4}V${y - 6}" class="grid"/>`, text(at(tick), y + 8, panel.format(tick), 'tick', 'middle'));
  }
  return { parts: [...parts, ...bars], bottom: y + 30 };
}

export function chart({ title, panels }) {
  const left = EDGE + 10 + widest(panels.flatMap(panel => panel.groups.map(group => group.name)));
  const drawn = [];
  let y = 56;

  for (const panel of panels) {
    const { parts, bottom } = drawPanel(panel, y, left);

    drawn.push(...parts);
    y = bottom;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
  <title>${escape(title)}</title>
  <style>${style}
  </style>
  <rect width="${WIDTH}" height="${y}" class="paper"/>
  ${text(EDGE, 32, title, 'title')}
  ${text(WIDTH - EDGE, 32, 'logarithmic scales', 'legend', 'end')}
  ${drawn.join('\n  ')}
</svg>
`;
}
