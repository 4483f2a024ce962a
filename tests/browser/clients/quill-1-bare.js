// The binding that everybody writes, without whole-characters.js.
import Quill from 'quill-1';
import { type } from 'rich-text';
import { types } from 'sharedb/lib/client/index.js';
import { openDocument, ready, root } from './page.js';

types.register(type);

const doc = await openDocument(type.uri, [{ insert: '\n' }]);
const quill = new Quill(root);

quill.setContents(doc.data);
quill.on('text-change', (delta, before, source) => source === 'user' && doc.submitOp(delta, { source: quill }));
doc.on('op', (op, source) => source !== quill && quill.updateContents(op));
doc.on('load', () => quill.setContents(doc.data));
ready({ text: () => quill.getText() });
