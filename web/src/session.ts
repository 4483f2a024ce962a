// One open document: loaded or created, bound to the editor, its state told truthfully.
import { type as textType } from 'ot-text-unicode';
import { types, type Doc, type ShareError } from 'sharedb/lib/client';
import type { Address } from './address.ts';
import { Binding, type Editor } from './binding.ts';
import type { Link } from './link.ts';
import { statusOf, type Status } from './status.ts';

types.register(textType);

export interface SessionEvents {
  changed(): void; // the status may have changed
  opened(): void; // it can be written in
  deleted(reason?: string): void; // it can't be written in; reason: why bringing it back failed
  refused(error: ShareError): void; // the document lacks something of the user's; bound.rescuedText() has it
  failed(error: ShareError): void; // it can't be opened
}

const AGAIN_MS = 3_000;
const OTHER_TYPE = 'There is a document of another type under its name now.';

// The server can't lead on from a version: it was set back to a backup, it has merged what lies between, or the document
// was purged, and is another one by now.
const LOST_TRACK = ['ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT', 'ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND'];

export class Session {
  readonly doc: Doc;
  private binding: Binding | null = null;
  private isDeleted = false;
  private isAdmitted = false; // it is known what one may do here; until then the editor takes nothing
  private followTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly link: Link,
    address: Address,
    private readonly editor: Editor,
    private readonly events: SessionEvents,
  ) {
    this.doc = link.connection.get(address.collection, address.id);
    // What concerns an edit or the creation reaches its callback, too.
    this.doc.on('error', error => this.complained(error));
    this.doc.on('no write pending', () => events.changed());
    this.doc.on('del', () => this.deleted());
    this.doc.on('create', () => this.created());
    this.doc.on('load', () => this.reloaded());
    link.connection.on('receive', request => this.foresee(request.data));
    link.connection.on('state', state => state === 'connected' && this.binding && this.follow());
    this.doc.subscribe(error => (error ? this.failed(error) : this.loaded()));
  }

  get status(): Status {
    return statusOf({
      isOpen: this.binding !== null && this.isAdmitted,
      isDeleted: this.isDeleted,
      link: this.link.state,
      retryInMs: this.link.nextTryAt - Date.now(),
      isFollowing: this.doc.subscribed,
      isWritePending: this.isWritePending,
      nWaiting: this.binding?.nWaiting ?? 0,
    });
  }

  admit(): void {
    this.isAdmitted = true;
    this.events.changed();
  }

  // Would closing the page now lose anything?
  get hasUnsent(): boolean {
    return this.binding !== null && (this.isWritePending || this.binding.hasRescued);
  }

  // Once a document is being fetched afresh, the client has nothing pending any more, while the edits that led there are
  // not answered.
  private get isWritePending(): boolean {
    return this.doc.hasWritePending() || this.isStranded || (this.binding !== null && this.binding.nWaiting > 0);
  }

  private get isStranded(): boolean {
    return !this.isDeleted && this.binding !== null && this.binding.isStranded;
  }

  get bound(): Binding | null {
    return this.binding;
  }

  // A deleted document begins again, with the text that is on the page. Somebody else may be doing the same: then theirs
  // is taken, and what it lacks is kept for rescue.
  bringBack(): void {
    if (!this.isDeleted) return;
    if (this.doc.type !== null) return this.events.deleted(OTHER_TYPE);
    this.binding?.create(error => error && this.isDeleted && this.events.deleted(error.message));
  }

  // Nobody writes before the server has said what there is: two people may be creating it at the same moment.
  private loaded(): void {
    if (this.doc.type !== null) this.open();
    else this.doc.create('', textType.uri, error => (error ? this.beaten(error) : this.open()));
  }

  // Somebody else was first: then theirs is taken.
  private beaten(error: ShareError): void {
    this.doc.fetch(failure => (this.doc.type !== null ? this.open() : this.failed(failure ?? error)));
  }

  private open(): void {
    if (!this.isText)
      return this.events.failed(new Error('This document is not plain text, and the editor is for plain text.'));
    this.binding = new Binding(this.doc, this.editor, { changed: this.events.changed, refused: this.events.refused });
    this.events.opened();
    this.events.changed();
  }

  private get isText(): boolean {
    return this.doc.type?.uri === textType.uri;
  }

  private deleted(reason?: string): void {
    if (!this.binding) return;
    this.isDeleted = true;
    this.events.deleted(reason);
    this.events.changed();
  }

  // Begun anew as something else it is no more this document than if there were none.
  private created(): void {
    if (!this.isText) return this.deleted(OTHER_TYPE);
    if (!this.isDeleted) return;
    this.isDeleted = false;
    this.events.opened();
    this.events.changed();
  }

  private reloaded(): void {
    if (this.doc.type === null) this.deleted();
    else this.created();
    if (!this.doc.subscribed) this.follow();
  }

  // On a new line the client subscribes by itself, and tells nobody where that is refused. Asked for once more it calls back.
  private follow(): void {
    clearTimeout(this.followTimer);
    this.doc.subscribe(error => (error ? this.lost(error) : this.events.changed()));
  }

  private lost(error: ShareError): void {
    if (!LOST_TRACK.includes(error.code ?? '')) this.followLater(error);
    else if (this.doc.version !== null) this.binding?.loadAfresh(error); // otherwise it is being loaded already
  }

  private followLater(error: ShareError): void {
    console.warn(error);
    clearTimeout(this.followTimer);
    this.followTimer = setTimeout(() => this.link.connection.canSend && this.follow(), AGAIN_MS);
  }

  // The client gives a document up whose fresh copy it could not get; it lives on with the next one.
  private complained(error: ShareError): void {
    console.warn(error);
    if (error.code === 'ERR_HARD_ROLLBACK_FETCH_FAILED') setTimeout(() => this.fetchAgain(), AGAIN_MS);
  }

  private fetchAgain(): void {
    this.doc.fetch(error => error && setTimeout(() => this.fetchAgain(), AGAIN_MS));
  }

  private failed(error: ShareError): void {
    this.events.failed(error);
  }

  private foresee(message: any): void {
    const isRefusal = message?.a === 'op' && message.error && message.c === this.doc.collection && message.d === this.doc.id;

    this.binding?.foresee(Boolean(isRefusal));
  }
}
