import { showList } from '../../../examples/clients/json1.js';
import { openDocument, ready, root } from './page.js';

root.innerHTML = '<form><input name="name" aria-label="name"></form><div id="list"></div>';
const doc = await openDocument('http://sharejs.org/types/JSONv1', { things: [] });

showList(root.querySelector('#list'), root.querySelector('form'), doc);
ready({ text: () => root.querySelector('#list').innerText });
