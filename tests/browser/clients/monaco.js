import { editor as monaco } from 'monaco-editor/editor/editor.api.js';
import { bindMonaco } from '../../../examples/clients/monaco.js';
import { openDocument, ready, root } from './page.js';

const doc = await openDocument('http://sharejs.org/types/text-unicode', '');
const editor = monaco.create(root, { language: 'plaintext', minimap: { enabled: false } });

bindMonaco(editor, doc);
ready({ editor, text: () => editor.getValue() });
