// CodeMirror 6 and a document of the type text-unicode.
import { Annotation, EditorState, Transaction } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { changeBetween, changesOf, opOf } from './text.js';

const isRemote = Annotation.define();

export function codeMirror(parent, doc, extensions = []) {
  const follow = EditorView.updateListener.of(({ transactions }) => {
    for (const transaction of transactions) {
      const changes = []; // the last first, so that the positions of the others stay true

      if (transaction.annotation(isRemote) || !doc.type) continue;
      transaction.changes.iterChanges((from, to, _from, _to, text) => changes.unshift({ from, to, insert: text.toString() }));
      for (const change of changes) doc.submitOp(opOf(doc.data, change), { source: view });
    }
  });
  const view = new EditorView({ parent, doc: doc.data, extensions: [EditorState.lineSeparator.of('\n'), follow, extensions] });
  const dispatch = changes => view.dispatch({ changes, annotations: [isRemote.of(true), Transaction.addToHistory.of(false)] });
  const show = () => doc.type && dispatch(changeBetween(view.state.doc.toString(), doc.data));

  doc.on('op', (op, source) => source !== view && dispatch(changesOf(view.state.doc.toString(), op)));
  doc.on('load', show).on('create', show);
  return view;
}
