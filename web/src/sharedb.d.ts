// What we use of the npm packages sharedb and ot-text-unicode, which bring no types that fit.

declare module 'sharedb/lib/client' {
  export interface ShareError extends Error {
    code?: string;
  }

  type Done = (error?: ShareError | null) => void;

  export class Connection {
    constructor(socket: WebSocket);
    readonly id: string | null;
    readonly state: 'connecting' | 'connected' | 'disconnected' | 'closed' | 'stopped';
    readonly socket: WebSocket;
    readonly canSend: boolean;
    get(collection: string, id: string): Doc;
    getPresence(channel: string): PresenceChannel;
    send(message: object): void;
    bindToSocket(socket: WebSocket): void;
    ping(): void;
    close(): void;
    on(event: 'state', listener: (state: string, reason?: CloseEvent) => void): void;
    on(event: 'receive', listener: (request: { data: any }) => void): void;
    on(event: 'error', listener: (error: ShareError) => void): void;
  }

  export interface Doc {
    readonly collection: string;
    readonly id: string;
    readonly type: { uri: string; name: string } | null;
    readonly version: number | null;
    readonly data: any;
    readonly subscribed: boolean;
    readonly inflightOp: SentOp | null;
    readonly pendingOps: readonly SentOp[];
    preventCompose: boolean;
    subscribe(done: Done): void;
    unsubscribe(): void;
    fetch(callback: (error?: ShareError | null) => void): void;
    create(data: unknown, type: string, done: Done): void;
    submitOp(op: unknown, options: { source: unknown }, done: Done): void;
    hasWritePending(): boolean;
    _hardRollback(error: ShareError): void; // its own; there is no other way to make it give its version up
    on(event: 'op', listener: (op: any, source: unknown) => void): void;
    on(event: 'load' | 'create' | 'del' | 'op batch' | 'no write pending', listener: () => void): void;
    on(event: 'error', listener: (error: ShareError) => void): void;
  }

  export interface SentOp {
    src?: string;
    seq?: number;
    op?: any;
    create?: object;
    del?: true;
  }

  export interface PresenceChannel {
    readonly channel: string;
    subscribe(done: Done): void;
    create(): LocalPresence;
    on(event: 'receive', listener: (id: string, value: unknown) => void): void;
    on(event: 'error', listener: (error: ShareError) => void): void;
  }

  export interface LocalPresence {
    readonly presenceId: string;
    submit(value: unknown): void;
    on(event: 'error', listener: (error: ShareError) => void): void;
  }

  export const types: { register(type: unknown): void; defaultType: { apply(data: any, op: unknown): any } }; // json0
}

declare module 'ot-text-unicode' {
  export type TextOp = (number | string | { d: number | string })[];

  export const type: {
    name: string;
    uri: string;
    apply(text: string, op: TextOp): string;
    compose(first: TextOp, second: TextOp): TextOp;
    transform(op: TextOp, other: TextOp, side: 'left' | 'right'): TextOp;
    normalize(op: TextOp): TextOp;
    invert(op: TextOp): TextOp;
  };
}
