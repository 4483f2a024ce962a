// A transcript, word by word. Whoever speaks has a line of his own, to which nobody else appends: so its length is known
// here, and a word is one small operation, {"p":["lines",id,"text",length],"si":"word "}, whatever the others do meanwhile.
import { make, one } from '../src/dom.ts';
import { change, me, operate } from './document.ts';
import { Page, colorOf, myName } from './page.ts';

interface Line {
  name: string;
  at: number; // milliseconds since 1970
  text: string;
}

interface Transcript {
  lines: Record<string, Line>;
}

interface OwnLine {
  id: string;
  length: number; // in UTF-16 units
  version: number; // at which it is so long
}

const LINES_MAX = 30;
const LINE_CHARS = 400;
const WORD_MS = 220; // of the sample
const sample =
  'Good morning. This is a sample, so that nobody has to speak to see how a transcript grows. Every word is an operation of its own, a few bytes ' +
  'long, and whoever reads along is told of it in the way chosen above. With polling the words come in heaps. With a stream they come as they are said.';

let lines: [string, Line][] = []; // the oldest first
let line: OwnLine | null = null;
let nLines = 0;
let sending: Promise<void> = Promise.resolve();

const page = new Page<Transcript>({ id: 'transcript', first: { lines: {} }, show });

function show(data: Transcript): void {
  const log = one('#lines');
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;

  lines = Object.entries(structuredClone(data.lines)).sort(([, a], [, b]) => a.at - b.at);
  log.replaceChildren(...lines.map(([, { name, text }]) => make('p', { dir: 'auto' }, make('b', { className: colorOf(name), textContent: name }), ' ', text)));
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

// One word after the other: each is told where the one before it ended.
function say(word: string): void {
  sending = sending.then(() => append(`${word} `)).catch(error => note(error.message));
}

async function append(text: string): Promise<void> {
  if (!line || line.length > LINE_CHARS) line = await beginLine();
  const { id, length, version } = line;

  line = null; // unless it goes well: somebody may have cleared everything
  line = { id, length: length + text.length, version: (await operate(page.address, version, [{ p: ['lines', id, 'text', length], si: text }]))! };
  page.look();
}

// The oldest line goes, when there are enough.
async function beginLine(): Promise<OwnLine> {
  const id = `${me}-${++nLines}`;
  const fresh: Line = { name: myName(), at: Date.now(), text: '' };
  const old = lines.length < LINES_MAX ? [] : [{ op: 'remove', path: `/lines/${lines[0]![0]}` } as const];

  return { id, length: 0, version: (await change(page.address, [...old, { op: 'add', path: `/lines/${id}`, value: fresh }]))! };
}

const endLine = () => (sending = sending.then(() => void (line = null)));
const note = (text: string) => void (one('#note').textContent = text);

// ---- typed ----------------------------------------------------------------------------------------------------------

one('#words').addEventListener('input', () => {
  const input = one<HTMLInputElement>('#words');
  const words = input.value.split(/\s+/);

  input.value = words.pop() ?? '';
  for (const word of words) if (word) say(word);
});
one('#type').addEventListener('submit', event => {
  const input = one<HTMLInputElement>('#words');

  event.preventDefault();
  if (input.value) say(input.value);
  input.value = '';
  endLine();
});

// ---- played ---------------------------------------------------------------------------------------------------------

let playing = 0;

function play(): void {
  const words = sample.split(' ');

  press('#sample', true);
  playing = window.setInterval(() => (words.length ? say(words.shift()!) : stop()), WORD_MS);
}

function stop(): void {
  clearInterval(playing);
  playing = 0;
  press('#sample', false);
  endLine();
}

const press = (button: string, isPressed: boolean) => one(button).setAttribute('aria-pressed', String(isPressed));

one('#sample').addEventListener('click', () => (playing ? stop() : play()));

// ---- spoken, where the browser can listen ---------------------------------------------------------------------------

const Recognition = (window as any).SpeechRecognition ?? (window as any).webkitSpeechRecognition;
let ear: any = null;

function listen(): void {
  ear = new Recognition();
  ear.continuous = true;
  ear.lang = navigator.language;
  ear.onresult = ({ resultIndex, results }: any) => {
    for (let i = resultIndex; i < results.length; i++) if (results[i].isFinal) results[i][0].transcript.trim().split(/\s+/).forEach(say);
  };
  ear.onerror = ({ error }: any) => note(`The browser does not listen: ${error}.`);
  ear.onend = () => {
    ear = null;
    press('#speak', false);
    endLine();
  };
  press('#speak', true);
  ear.start();
}

one('#speak').hidden = !Recognition;
one('#speak').addEventListener('click', () => (ear ? ear.stop() : listen()));
one('#clear').addEventListener('click', () => {
  endLine();
  page.change([{ op: 'replace', path: '/lines', value: {} }]).catch(error => note(error.message));
});
