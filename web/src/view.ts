// The editor itself: CodeMirror, set up for writing, and what the binding needs around it.
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, insertTab } from '@codemirror/commands';
import { search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type ChangeSet, type Transaction, type TransactionSpec } from '@codemirror/state';
import { EditorView, dropCursor, highlightSpecialChars, keymap, placeholder, type KeyBinding } from '@codemirror/view';
import { Anchor } from './anchor.ts';
import type { Editor } from './binding.ts';
import { carets } from './carets.ts';
import { prose } from './prose.ts';
import { wellFormed } from './well-formed.ts';

// After a composition the browser may still be writing its result into the page.
const COMPOSED_MS = 60;

export interface ViewEvents {
  applied(transaction: Transaction): void;
  composed(): void; // an input method has finished
  moved(): void; // text or selection
}

export class TextView implements Editor {
  readonly view: EditorView;
  private readonly readOnly = new Compartment();
  private readonly anchor = new Anchor(() => this.view);
  private isComposingNow = false;
  private composedTimer = 0;

  constructor(parent: HTMLElement, nonce: string, keys: readonly KeyBinding[], events: ViewEvents) {
    this.view = new EditorView({
      parent,
      extensions: [
        EditorView.cspNonce.of(nonce),
        this.readOnly.of(EditorState.readOnly.of(true)),
        writing(keys),
        this.gestures(events),
        EditorView.updateListener.of(update => {
          for (const transaction of update.transactions) events.applied(transaction);
          if (update.docChanged || update.selectionSet) events.moved();
        }),
      ],
    });
  }

  get state(): EditorState {
    return this.view.state;
  }

  isComposing(): boolean {
    return this.isComposingNow;
  }

  // For the binding: what others did, without moving what the user looks at.
  dispatch(spec: TransactionSpec): void {
    this.anchor.during(spec.changes as ChangeSet, () => this.view.dispatch(spec));
  }

  setReadOnly(isReadOnly: boolean): void {
    if (this.state.readOnly !== isReadOnly)
      this.view.dispatch({ effects: this.readOnly.reconfigure(EditorState.readOnly.of(isReadOnly)) });
  }

  private gestures(events: ViewEvents) {
    return EditorView.domEventObservers({
      wheel: () => this.anchor.release(),
      touchmove: () => this.anchor.release(),
      keydown: () => this.anchor.release(),
      compositionstart: () => {
        clearTimeout(this.composedTimer);
        this.isComposingNow = true;
      },
      compositionend: () => {
        clearTimeout(this.composedTimer);
        this.composedTimer = window.setTimeout(() => {
          this.isComposingNow = false;
          events.composed();
        }, COMPOSED_MS);
      },
    });
  }
}

function tab(view: EditorView): boolean {
  return view.state.selection.ranges.some(range => !range.empty) ? indentMore(view) : insertTab(view);
}

function writing(keys: readonly KeyBinding[]) {
  return [
    // Documents hold what was put into them: only "\n" ends a line, a "\r" from elsewhere stays a character.
    EditorState.lineSeparator.of('\n'),
    EditorView.clipboardInputFilter.of(text => text.replace(/\r\n?/g, '\n')),
    wellFormed(),
    history(),
    highlightSpecialChars({ specialChars: /[\u0000-\u0008\u000e-\u001f\u007f\u061c\u200e\u200f\u202d\u202e\u2066-\u2069\ufeff]/g }),
    dropCursor(),
    search({ top: true }),
    prose,
    carets(),
    placeholder('Write here. Everyone who has the link sees it as you type.'),
    EditorView.lineWrapping,
    EditorView.perLineTextDirection.of(true),
    EditorView.contentAttributes.of({ 'aria-label': 'Text of the document', spellcheck: 'true', autocapitalize: 'sentences' }),
    keymap.of([
      ...searchKeymap,
      ...historyKeymap,
      ...keys,
      { key: 'Tab', run: tab, shift: indentLess },
      ...defaultKeymap,
    ]),
  ];
}
