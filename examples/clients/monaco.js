// Monaco and a document of the type text-unicode.
import { changeBetween, changesOf, opOf } from './text.js';

const rangeOf = (start, end) => ({
  startLineNumber: start.lineNumber,
  startColumn: start.column,
  endLineNumber: end.lineNumber,
  endColumn: end.column,
});

export function bindMonaco(editor, doc) {
  const model = editor.getModel();
  let isRemote = false;
  const edit = changes => {
    const ends = changes.map(({ from, to, insert }) => [model.getPositionAt(from), model.getPositionAt(to), insert]);

    isRemote = true;
    model.pushEditOperations(null, ends.map(([start, end, text]) => ({ range: rangeOf(start, end), text })), () => null);
    isRemote = false;
  };
  const show = () => doc.type && edit([changeBetween(model.getValue(), doc.data)]);

  model.setEOL(0); // \n, which Monaco would otherwise choose by the operating system
  editor.onDidChangeModelContent(({ changes }) => {
    if (isRemote || !doc.type) return;
    for (const { rangeOffset: from, rangeLength, text } of [...changes].sort((a, b) => b.rangeOffset - a.rangeOffset))
      doc.submitOp(opOf(doc.data, { from, to: from + rangeLength, insert: text }), { source: editor });
  });
  doc.on('op', (op, source) => source !== editor && edit(changesOf(model.getValue(), op)));
  doc.on('load', show).on('create', show);
  show();
}
