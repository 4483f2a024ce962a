import Quill from 'quill';
import 'quill/dist/quill.snow.css';
import { bindQuill } from '../../../examples/clients/quill.js';
import { showCarets } from '../../../examples/clients/quill-carets.js';
import { name, openDocument, ready, root } from './page.js';

const doc = await openDocument('http://sharejs.org/types/rich-text/v1', [{ insert: '\n' }]);
const quill = new Quill(root, { theme: 'snow', modules: { toolbar: false, history: { userOnly: true } } });

bindQuill(quill, doc);
await showCarets(quill, doc, name);
ready({ text: () => quill.getText() });
