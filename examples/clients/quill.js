// Quill 2 or 1.3, and a document of the type rich-text. Both count UTF-16 units.
import { types } from 'sharedb/lib/client/index.js';
import { type } from 'rich-text';
import { wholeCharacters } from './whole-characters.js';

types.register(type);

export function bindQuill(quill, doc) {
  const show = () => doc.type && quill.setContents(doc.data);

  quill.on('text-change', (delta, before, source) => {
    if (source === 'user') doc.submitOp(wholeCharacters(delta, before), { source: quill });
  });
  doc.on('op', (op, source) => source !== quill && quill.updateContents(op));
  doc.on('load', show).on('create', show);
  show();
}
