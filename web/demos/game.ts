// A game. Where everybody is at this moment is nobody's business a second later: positions are presence, sent to whoever is
// there and never stored. What counts is the document: a coin is taken by a conditional change, so that it is given once.
import type { Connection, LocalPresence } from 'sharedb/lib/client';
import { make, one } from '../src/dom.ts';
import { me } from './document.ts';
import type { Following } from './four_ways.ts';
import { Page, colorOf, myName } from './page.ts';

interface Coin {
  n: number; // how often it was taken
  x: number;
  y: number;
}

interface Player {
  name: string;
  coins: number;
}

interface Game {
  round: number;
  coins: Coin[];
  players: Record<string, Player>; // by window
}

interface Dot {
  name: string;
  x: number;
  y: number;
}

const WIDTH = 100;
const HEIGHT = 75;
const RADIUS = 3;
const SPEED = 45; // units a second
const SPEAK_MS = 50; // between two positions told
const GOAL = 10;

const anywhere = (length: number) => Math.round(RADIUS + Math.random() * (length - 2 * RADIUS));
const coin = (n: number): Coin => ({ n, x: anywhere(WIDTH), y: anywhere(HEIGHT) });
const sixCoins = () => Array.from({ length: 6 }, () => coin(0));

let game: Game = { round: 1, coins: [], players: {} };
let nOwn = 0; // coins that are ours in this round
const dot = { x: anywhere(WIDTH), y: anywhere(HEIGHT) };

const page = new Page<Game>({ id: 'game', first: { ...game, coins: sixCoins() }, show, rewired });

// ---- the document: coins and score ----------------------------------------------------------------------------------

function show(now: Game): void {
  if (now.round !== game.round) {
    nOwn = 0;
    say('');
  }
  game = structuredClone(now);
  nOwn = Math.max(nOwn, game.players[me]?.coins ?? 0);
  const scores = Object.entries(game.players).sort(([, a], [, b]) => b.coins - a.coins);
  const winner = scores.find(([, { coins }]) => coins >= GOAL);

  one('#score').replaceChildren(...scores.slice(0, 8).map(([, player]) => row(player)));
  one('#again').hidden = !winner;
  if (winner) say(`${winner[0] === me ? 'You win' : `${winner[1].name} wins`} round ${game.round}.`);
}

function row({ name, coins }: Player): HTMLLIElement {
  const dot = make('span', { className: `person-dot ${colorOf(name)}` });
  const who = make('span', { className: 'grows', textContent: name, dir: 'auto' });

  return make('li', { className: 'row' }, dot, who, make('b', { textContent: String(coins) }));
}

const say = (verdict: string) => void (one('#verdict').textContent = verdict);

const isOver = () => Object.values(game.players).some(({ coins }) => coins >= GOAL);
const asked = new Set<string>(); // coins that we have reached for, as "round/place/n"
let taking = Promise.resolve(); // one after the other, since each counts on the one before

function reach(): void {
  game.coins.forEach(({ n, x, y }, place) => {
    const coin = `${game.round}/${place}/${n}`;

    if (isOver() || asked.has(coin) || Math.hypot(x - dot.x, y - dot.y) > 2 * RADIUS) return;
    asked.add(coin);
    taking = taking.then(() => take(place, n)).catch(() => void setTimeout(() => asked.delete(coin), 1000));
  });
}

// It is ours if it still lies there; a new one comes up elsewhere, in the same change.
async function take(place: number, n: number): Promise<void> {
  const { round } = game;
  const count = nOwn + 1;
  const version = await page.change([
    { op: 'test', path: '/round', value: round },
    { op: 'test', path: `/coins/${place}/n`, value: n },
    { op: 'replace', path: `/coins/${place}`, value: coin(n + 1) },
    { op: 'add', path: `/players/${me}`, value: { name: myName(), coins: count } },
  ]);

  if (version === null) say('Somebody else was there first.');
  else if (round === game.round) nOwn = Math.max(nOwn, count); // it may have been shown already
}

async function again(): Promise<void> {
  await page.change([
    { op: 'test', path: '/round', value: game.round },
    { op: 'replace', path: '/round', value: game.round + 1 },
    { op: 'replace', path: '/coins', value: sixCoins() },
    { op: 'replace', path: '/players', value: {} },
  ]);
}

// ---- presence: where everybody is -----------------------------------------------------------------------------------

let connection: Connection | null = null; // null: this way carries no presence
let presence: LocalPresence | null = null;
const others = new Map<string, Dot>();

function rewired(following: Following): void {
  connection = following.connection ?? null;
  if (connection) presence ??= join(connection);
  forget();
  one('#presence').textContent = connection
    ? 'Positions are presence: told to whoever is here, up to twenty times a second, and never stored.'
    : 'You see nobody else: positions need a stream that goes both ways, a WebSocket. Coins and score follow in the way chosen above.';
}

function join(connection: Connection): LocalPresence {
  const channel = connection.getPresence('demos/game');

  channel.on('receive', (id, value) => hear(id, value));
  channel.subscribe(error => error && console.warn(error));
  connection.on('state', state => state === 'connected' || forget());
  return channel.create();
}

// What comes from others is looked at before it is used. Nothing: he has gone.
function hear(id: string, value: unknown): void {
  const { name, x, y } = (value ?? {}) as Partial<Dot>;

  if (Number.isFinite(x) && Number.isFinite(y)) others.set(id, { name: String(name).slice(0, 64), x: x!, y: y! });
  else others.delete(id);
}

let said = '';
let saidAt = 0;

function forget(): void {
  others.clear();
  said = '';
}

function speak(now: number): void {
  const place = { name: myName(), x: Math.round(dot.x * 10) / 10, y: Math.round(dot.y * 10) / 10 };

  if (!connection?.canSend || now - saidAt < SPEAK_MS || JSON.stringify(place) === said) return;
  saidAt = now;
  said = JSON.stringify(place);
  presence!.submit(place);
}

// ---- the field ------------------------------------------------------------------------------------------------------

const field = one('#field') as unknown as SVGSVGElement;
const keys: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const held = new Set<string>();
let goal: { x: number; y: number } | null = null; // where somebody presses

function move(seconds: number): void {
  let [dx, dy] = [...held].reduce(([x, y], key) => [x + keys[key]![0], y + keys[key]![1]], [0, 0]);

  if (goal) [dx, dy] = [goal.x - dot.x, goal.y - dot.y];
  const length = Math.hypot(dx!, dy!);
  const step = Math.min(SPEED * seconds, goal ? length : Infinity);

  if (length === 0) return;
  dot.x = Math.min(WIDTH - RADIUS, Math.max(RADIUS, dot.x + (dx! / length) * step));
  dot.y = Math.min(HEIGHT - RADIUS, Math.max(RADIUS, dot.y + (dy! / length) * step));
}

// One element for each thing on the field, as long as that is there.
function draw(): void {
  const things = [
    ...game.coins.map(({ n, x, y }, place) => ({ key: `coin-${place}-${n}`, className: 'coin', x, y, name: '' })),
    ...[...others].map(([id, { name, x, y }]) => ({ key: `dot-${id}`, className: `dot ${colorOf(name)}`, x, y, name })),
    { key: 'me', className: `dot is-me ${colorOf(myName())}`, ...dot, name: 'you' },
  ];
  const kept = new Set(things.map(({ key }) => key));

  for (const element of [...field.children]) if (!kept.has(element.id)) element.remove();
  for (const { key, className, x, y, name } of things) {
    const element = field.querySelector(`#${CSS.escape(key)}`) ?? field.appendChild(shape(key));

    set(element, 'class', className);
    set(element, 'transform', `translate(${x} ${y})`);
    if (element.textContent !== name) element.querySelector('text')!.textContent = name;
  }
}

// Only what differs, since this is done at every frame.
function set(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function shape(id: string): SVGElement {
  const svg = (name: string, attributes: Record<string, string | number>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);

    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    return element;
  };
  const group = svg('g', { id });

  group.append(svg('circle', { r: RADIUS }), svg('text', { y: -RADIUS - 1.5 }));
  return group;
}

let last = performance.now();

function frame(now: number): void {
  move(Math.min(0.1, (now - last) / 1000));
  last = now;
  reach();
  speak(now);
  draw();
  requestAnimationFrame(frame);
}

function aim(event: PointerEvent): void {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(field.getScreenCTM()!.inverse());

  goal = { x, y };
}

field.addEventListener('keydown', event => {
  if (!keys[event.key]) return;
  event.preventDefault();
  held.add(event.key);
});
field.addEventListener('keyup', event => held.delete(event.key));
field.addEventListener('blur', () => held.clear());
field.addEventListener('pointerdown', event => {
  field.setPointerCapture(event.pointerId);
  aim(event);
});
field.addEventListener('pointermove', event => goal && aim(event));
for (const end of ['pointerup', 'pointercancel'] as const) field.addEventListener(end, () => (goal = null));
one('#again').addEventListener('click', () => again().catch(error => say(error.message)));
requestAnimationFrame(frame);
