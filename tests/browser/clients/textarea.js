import { logIn } from '../../../examples/clients/login.js';
import { bindTextarea } from '../../../examples/clients/textarea.js';
import { address, openDocument, ready, root } from './page.js';

const show = doc => {
  const area = document.createElement('textarea');

  root.replaceChildren(area);
  bindTextarea(area, doc);
  ready({ doc, connection: doc.connection, text: () => area.value, logIn: async () => show(await logIn(address, doc)) });
};

show(await openDocument('http://sharejs.org/types/text-unicode', ''));
