// The line to the server: one ShareDB Connection over a succession of WebSockets. The Connection keeps its id, its
// count of operations and everything unsent; each new socket only carries on.
import { Connection } from 'sharedb/lib/client';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
const CONNECT_MS = 10_000; // until the handshake must be through
const STABLE_MS = 3_000; // a line that lived this long starts the back-off afresh
const QUIET_MS = 25_000; // after so long without a word the line is tested
const PONG_MS = 8_000;

// refused: the server wants to know first who we are
export type LinkState = 'connecting' | 'connected' | 'waiting' | 'refused';

// Half to all of a delay that doubles: clients of a restarted server do not return all at once.
export function backOff(attempt: number, random: number): number {
  const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));

  return full / 2 + (full / 2) * random;
}

export class Link {
  readonly connection: Connection;
  state: LinkState = 'connecting';
  nextTryAt = 0; // with `waiting`: when, in Date.now()'s milliseconds
  private attempt = 0;
  private heardAt = Date.now();
  private retryTimer = 0;
  private connectTimer = 0;
  private stableTimer = 0;
  private pongTimer = 0;

  constructor(
    private readonly url: () => string,
    private readonly changed: () => void,
  ) {
    this.connection = new Connection(this.socket());
    this.connection.on('receive', () => this.heard());
    this.connection.on('state', state => this.follow(state));
    this.connection.on('error', error => console.warn(error));
    setInterval(() => this.watch(), 5_000);
    addEventListener('online', () => this.nudge());
    addEventListener('offline', () => this.nudge());
    document.addEventListener('visibilitychange', () => document.hidden || this.nudge());
  }

  // Something happened that may have broken or mended the line: look now.
  nudge(): void {
    if (this.state === 'waiting') this.connect();
    else if (this.state === 'connected') this.test(PONG_MS / 2);
  }

  // A new socket in place of the present one, for instance under another name. What is on its way is sent again.
  renew(): void {
    this.drop();
    this.connect();
  }

  // No more attempts until admit().
  refuse(): void {
    if (this.state === 'refused') return;
    if (this.connection.state !== 'disconnected') this.drop();
    clearTimeout(this.retryTimer);
    this.state = 'refused';
    this.changed();
  }

  admit(): void {
    if (this.state === 'refused') this.connect();
  }

  private socket(): WebSocket {
    clearTimeout(this.connectTimer);
    this.connectTimer = window.setTimeout(() => this.drop(), CONNECT_MS);
    return new WebSocket(this.url());
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.state = 'connecting';
    this.connection.bindToSocket(this.socket());
    this.changed();
  }

  // Gives the socket up without waiting for the other side to agree.
  private drop(): void {
    const socket = this.connection.socket;

    socket.onclose?.(new CloseEvent('close'));
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private follow(state: string): void {
    clearTimeout(this.stableTimer);
    clearTimeout(this.pongTimer);
    this.pongTimer = 0;
    if (state === 'connected') {
      clearTimeout(this.connectTimer);
      this.state = 'connected';
      this.stableTimer = window.setTimeout(() => (this.attempt = 0), STABLE_MS);
    } else if (state === 'disconnected') {
      this.wait();
    }
    this.changed();
  }

  private wait(): void {
    const delay = backOff(this.attempt++, Math.random());

    clearTimeout(this.connectTimer);
    clearTimeout(this.retryTimer);
    this.state = 'waiting';
    this.nextTryAt = Date.now() + delay;
    this.retryTimer = window.setTimeout(() => this.connect(), delay);
  }

  private heard(): void {
    this.heardAt = Date.now();
    clearTimeout(this.pongTimer);
    this.pongTimer = 0;
  }

  // A line can be dead without anybody having closed it: a laptop asleep, a cable pulled.
  private watch(): void {
    if (this.state === 'connected' && Date.now() - this.heardAt > QUIET_MS) this.test(PONG_MS);
  }

  private test(limitMs: number): void {
    if (this.pongTimer) return;
    this.pongTimer = window.setTimeout(() => this.drop(), limitMs);
    this.connection.ping();
  }
}
