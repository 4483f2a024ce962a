// One CodeMirror editor and one ShareDB document of the type text-unicode, kept equal.
//
// What the user does goes to the document as operations; what others do comes back as transactions marked `remote`, kept
// out of the undo history (which is mapped over them, so that undo takes back only one's own work).
//
// While an input method composes, the line it stands in must not be rewritten. Remote operations that would do so are
// held, composed into one:
//
//     editor text + held == document data          held === null: they are equal
//
// and each side's further edits are transformed over the other's until the composition ends.
//
// After some errors the client drops the document and fetches it again. Meanwhile there is nothing to submit to: the user
// writes on, and what the fetched text lacks is kept for rescue (rescue.ts), as is what the server refuses.
import { Annotation, Transaction, type ChangeSet, type EditorState, type TransactionSpec } from '@codemirror/state';
import { type as textType, type TextOp } from 'ot-text-unicode';
import type { Doc, ShareError } from 'sharedb/lib/client';
import { changeBetween, changesFromOp, opFromChanges, splitOp } from './convert.ts';
import { Rescue } from './rescue.ts';

export const remote = Annotation.define<boolean>();

// What is beyond this goes in several operations: no server has to take a frame much larger than this, nor many more
// components, which also grow while an operation is transformed.
export const INSERT_MAX_UNITS = 512 * 1024;
export const PARTS_MAX = 20_000;

// The client joins what waits into one operation; nothing is joined with what has more than this.
const JOIN_MAX_UNITS = 16 * 1024;
const JOIN_MAX_PARTS = 1000;

const isLarge = (op: TextOp) => op.length > JOIN_MAX_PARTS || op.some(part => typeof part === 'string' && part.length > JOIN_MAX_UNITS);

// What a binding needs of an editor; an EditorView with a little around it, or a bare state in tests.
export interface Editor {
  readonly state: EditorState;
  dispatch(spec: TransactionSpec): void;
  isComposing(): boolean;
}

export interface BindingEvents {
  changed(): void; // the text, or how much of it waits for the server
  refused(error: ShareError): void; // the document lacks something of the user's; rescuedText() has it
}

export class Binding {
  nWaiting = 0; // own edits that the server has not acknowledged
  isStranded = false; // the page's text is not the document's, for there is no document
  private held: TextOp | null = null;
  private readonly rescue = new Rescue();
  private isTakingBack = false;
  private hasNews = false; // more is missing than was told
  private readonly source = { toString: () => 'editor' };

  constructor(
    private readonly doc: Doc,
    private readonly editor: Editor,
    private readonly events: BindingEvents,
  ) {
    doc.on('op', (op: TextOp, source) => this.changed(op, source === this.source));
    doc.on('load', () => this.reload('The document had to be loaded again.'));
    doc.on('create', () => this.reload('Somebody began the document anew.'));
    doc.on('del', () => this.deleted());
    this.reload('');
  }

  // For every transaction that the editor has applied, in order.
  applied(transaction: Transaction): void {
    if (!transaction.docChanged || transaction.annotation(remote)) return;
    for (const op of splitOp(opFromChanges(transaction.startState.doc, transaction.changes), INSERT_MAX_UNITS, PARTS_MAX)) {
      const own = this.overHeld(op);

      if (this.doc.type === null) this.strand(own);
      else this.submit(own);
    }
  }

  // Of every message of the server's, before the client acts on it. An edit that is refused is taken back at once, and
  // that looks like somebody else's edit.
  foresee(isRefusal: boolean): void {
    this.isTakingBack = isRefusal;
  }

  // A deleted document begins again, with the text that is on the page.
  create(done: (error?: ShareError | null) => void): void {
    this.nWaiting++;
    this.doc.create(this.editor.state.doc.toString(), textType.uri, error => {
      this.answered(error);
      done(error);
    });
  }

  // The server does not go on from this version, so that what it has may lack any of the text that is here.
  loadAfresh(error: ShareError): void {
    this.isStranded = true;
    this.doc._hardRollback(error);
  }

  // No composition any more: what was held can be shown.
  release(): void {
    const op = this.held;

    this.held = null;
    if (op) this.show(op);
  }

  // The editor lacks something that the document has.
  get isHolding(): boolean {
    return this.held !== null;
  }

  get hasRescued(): boolean {
    return !this.rescue.isEmpty;
  }

  // The text as it stands, with all that the document lacks.
  rescuedText(): string {
    const text = this.editor.state.doc.toString();

    return this.rescue.over(this.held ? textType.apply(text, this.held) : text);
  }

  forgetRescued(): void {
    this.rescue.forget();
  }

  // An edit of the editor's text as an edit of the document's.
  private overHeld(op: TextOp): TextOp {
    if (!this.held) return op;
    const own = textType.transform(op, this.held, 'left');

    this.held = textType.transform(this.held, op, 'right');
    return own;
  }

  private submit(op: TextOp): void {
    const last: TextOp = this.doc.pendingOps.at(-1)?.op ?? [];

    this.nWaiting++;
    this.doc.preventCompose = isLarge(op) || isLarge(last);
    this.doc.submitOp(op, { source: this.source }, error => this.answered(error));
    this.doc.preventCompose = false;
    this.events.changed();
  }

  private strand(op: TextOp): void {
    this.rescue.follow(op);
    this.isStranded = true;
    this.events.changed();
  }

  private answered(error?: ShareError | null): void {
    this.nWaiting--;
    if (error && this.doc.type === null) this.isStranded = true;
    if (error) this.tell(error);
    this.events.changed();
  }

  // Some refusals reach no callback, and some reach many.
  private tellSoon(message: string): void {
    this.hasNews = true;
    queueMicrotask(() => this.tell(new Error(message)));
  }

  private tell(error: ShareError): void {
    if (!this.hasNews) return;
    this.hasNews = false;
    this.events.refused(error);
  }

  private changed(op: TextOp, isOwn: boolean): void {
    if (isOwn || !this.isTakingBack) {
      this.rescue.follow(op);
    } else {
      this.rescue.takenBack(op);
      this.tellSoon('An edit was refused.');
    }
    if (!isOwn) this.receive(op);
  }

  private deleted(): void {
    this.release();
    this.isStranded = true;
  }

  private receive(op: TextOp): void {
    if (this.held) this.held = textType.compose(this.held, op);
    else if (this.editor.isComposing() && this.touchesComposition(op)) this.held = op;
    else this.show(op);
  }

  private show(op: TextOp): void {
    try {
      this.dispatch(this.editor.state.changes(changesFromOp(this.editor.state.doc, op)));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.reload('The document had to be shown afresh.');
    }
    this.events.changed();
  }

  // The line of the caret is what an input method works on.
  private touchesComposition(op: TextOp): boolean {
    const { doc, selection } = this.editor.state;
    const line = doc.lineAt(selection.main.head);

    return this.editor.state.changes(changesFromOp(doc, op)).touchesRange(line.from, line.to) !== false;
  }

  // The editor's text becomes the document's, with as small a change as possible. What it lacks of the user's is kept.
  private reload(reason: string): void {
    const isOwn = this.isStranded || this.nWaiting > 0;

    if (this.doc.type?.uri !== textType.uri) return this.deleted();
    if (isOwn || this.hasRescued) {
      const isMissing = this.rescue.replaced(this.doc.data, this.rescuedText());

      if (isMissing && isOwn) this.tellSoon(reason);
    }
    this.held = null;
    this.isStranded = false;
    this.dispatch(this.editor.state.changes(changeBetween(this.editor.state.doc.toString(), this.doc.data)));
    this.events.changed();
  }

  private dispatch(changes: ChangeSet): void {
    if (changes.empty) return;
    this.editor.dispatch({
      changes,
      annotations: [remote.of(true), Transaction.addToHistory.of(false)],
      filter: false,
    });
  }
}
