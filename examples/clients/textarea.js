// A <textarea> and a document of the type text-unicode.
import { changeBetween, changesOf, opOf } from './text.js';

export function bindTextarea(area, doc) {
  const edit = changes => changes.reverse().forEach(({ from, to, insert }) => area.setRangeText(insert, from, to, 'preserve'));
  const show = () => doc.type && edit([changeBetween(area.value, doc.data)]);

  area.addEventListener('input', () => {
    if (doc.type) doc.submitOp(opOf(doc.data, changeBetween(doc.data, area.value)), { source: area });
  });
  doc.on('op', (op, source) => source !== area && edit(changesOf(area.value, op)));
  doc.on('load', show).on('create', show);
  show();
}
