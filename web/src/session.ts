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
  deleted(): void;
  refused(error: ShareError, text: string): void;
  failed(error: ShareError): void; // it can't be opened
}

export class Session {
  private readonly doc: Doc;
  private binding: Binding | null = null;
  private isDeleted = false;

  constructor(
    private readonly link: Link,
    address: Address,
    private readonly editor: Editor,
    private readonly events: SessionEvents,
  ) {
    this.doc = link.connection.get(address.collection, address.id);
    // What concerns an edit or the creation reaches its callback, too.
    this.doc.on('error', error => console.warn(error));
    this.doc.on('no write pending', () => events.changed());
    this.doc.on('del', () => this.deleted());
    this.doc.on('create', () => this.created());
    link.connection.on('receive', request => this.foresee(request.data));
    this.doc.subscribe(error => (error ? this.failed(error) : this.loaded()));
  }

  get status(): Status {
    return statusOf({
      isOpen: this.binding !== null,
      isDeleted: this.isDeleted,
      link: this.link.state,
      retryInMs: this.link.nextTryAt - Date.now(),
      isWritePending: this.doc.hasWritePending(),
      nWaiting: this.binding?.nWaiting ?? 0,
    });
  }

  // Would closing the page now lose anything?
  get hasUnsent(): boolean {
    return this.binding !== null && this.doc.hasWritePending();
  }

  get bound(): Binding | null {
    return this.binding;
  }

  // A deleted document begins again, with the text that is on the page.
  bringBack(): void {
    if (this.doc.type === null)
      this.doc.create(this.editor.state.doc.toString(), textType.uri, error => error && this.events.failed(error));
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
    if (this.doc.type?.uri !== textType.uri)
      return this.events.failed(new Error('This document is not plain text, and the editor is for plain text.'));
    this.binding = new Binding(this.doc, this.editor, { changed: this.events.changed, refused: this.events.refused });
    this.events.opened();
    this.events.changed();
  }

  private deleted(): void {
    if (!this.binding) return;
    this.isDeleted = true;
    this.events.deleted();
    this.events.changed();
  }

  private created(): void {
    if (!this.isDeleted) return;
    this.isDeleted = false;
    this.events.opened();
    this.events.changed();
  }

  private failed(error: ShareError): void {
    this.events.failed(error);
  }

  // The client takes a refused edit back before it tells anybody.
  private foresee(message: any): void {
    if (message?.a === 'op' && message.error && message.c === this.doc.collection && message.d === this.doc.id)
      this.binding?.keepForRescue();
  }
}
