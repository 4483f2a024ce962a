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
import { Annotation, Transaction, type ChangeSet, type EditorState, type TransactionSpec } from '@codemirror/state';
import { type as textType, type TextOp } from 'ot-text-unicode';
import type { Doc, ShareError } from 'sharedb/lib/client';
import { changeBetween, changesFromOp, opFromChanges, splitOp } from './convert.ts';

export const remote = Annotation.define<boolean>();

// Inserts beyond this go in several operations: no server has to take a frame much larger than this.
export const INSERT_MAX_UNITS = 512 * 1024;

// The client joins what waits into one operation; what inserts more than this starts a new one.
const JOIN_MAX_UNITS = 16 * 1024;

// What a binding needs of an editor; an EditorView with a little around it, or a bare state in tests.
export interface Editor {
  readonly state: EditorState;
  dispatch(spec: TransactionSpec): void;
  isComposing(): boolean;
}

export interface BindingEvents {
  changed(): void; // the text, or how much of it waits for the server
  refused(error: ShareError, text: string): void; // an edit was refused; the text as the user had it
}

export class Binding {
  nWaiting = 0; // own edits that the server has not acknowledged
  private held: TextOp | null = null;
  private rescued: string | null = null;
  private readonly source = { toString: () => 'editor' };

  constructor(
    private readonly doc: Doc,
    private readonly editor: Editor,
    private readonly events: BindingEvents,
  ) {
    doc.on('op', (op: TextOp, source) => source !== this.source && this.receive(op));
    doc.on('load', () => this.reload());
    doc.on('create', () => this.reload());
    doc.on('del', () => (this.held = null));
    this.reload();
  }

  // For every transaction that the editor has applied, in order.
  applied(transaction: Transaction): void {
    if (!transaction.docChanged || transaction.annotation(remote)) return;
    if (this.doc.type === null)
      this.keepForRescue(); // between a refusal and the fresh copy: the fresh copy is about to replace the text
    else
      for (const op of splitOp(opFromChanges(transaction.startState.doc, transaction.changes), INSERT_MAX_UNITS))
        this.submit(op);
  }

  // The server is about to refuse an edit, which the client will take back: the last moment at which the text is whole.
  keepForRescue(): void {
    this.rescued = this.editor.state.doc.toString();
  }

  // No composition any more: what was held can be shown.
  release(): void {
    const op = this.held;

    this.held = null;
    if (op) this.show(op);
  }

  private submit(op: TextOp): void {
    if (this.held) {
      const own = textType.transform(op, this.held, 'left');

      this.held = textType.transform(this.held, op, 'right');
      op = own;
    }
    this.nWaiting++;
    this.doc.preventCompose = op.some(part => typeof part === 'string' && part.length > JOIN_MAX_UNITS);
    this.doc.submitOp(op, { source: this.source }, error => this.answered(error));
    this.doc.preventCompose = false;
    this.events.changed();
  }

  private answered(error?: ShareError | null): void {
    this.nWaiting--;
    if (error) {
      const text = this.rescued;

      this.rescued = null;
      if (text !== null) this.events.refused(error, text);
    }
    this.events.changed();
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
      this.reload();
    }
    this.events.changed();
  }

  // The line of the caret is what an input method works on.
  private touchesComposition(op: TextOp): boolean {
    const { doc, selection } = this.editor.state;
    const line = doc.lineAt(selection.main.head);

    return this.editor.state.changes(changesFromOp(doc, op)).touchesRange(line.from, line.to) !== false;
  }

  // The editor's text becomes the document's, with as small a change as possible.
  private reload(): void {
    const text = this.editor.state.doc.toString();

    this.held = null;
    if (typeof this.doc.data !== 'string') return;
    if (this.nWaiting > 0 && this.rescued === null) this.rescued = text;
    this.dispatch(this.editor.state.changes(changeBetween(text, this.doc.data)));
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
