import { history, historyKeymap } from '@codemirror/commands';
import { keymap } from '@codemirror/view';
import { codeMirror } from '../../../examples/clients/codemirror.js';
import { showCarets } from '../../../examples/clients/codemirror-carets.js';
import { who } from '../../../examples/clients/who.js';
import { name, openDocument, ready, root } from './page.js';

const doc = await openDocument('http://sharejs.org/types/text-unicode', '');
const view = codeMirror(root, doc, [history(), keymap.of(historyKeymap)]);

showCarets(view, doc, name);
who(doc.connection, 'reading room', name, names => (window.client.names = names));
ready({ text: () => view.state.doc.toString() });
