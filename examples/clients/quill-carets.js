// Where the others are in a Quill. The carets move along with every edit; they go when their page closes.
import { promised } from './connect.js';

export async function showCarets(quill, doc, name) {
  const presence = doc.connection.getDocPresence(doc.collection, doc.id);
  const own = presence.create();
  const layer = quill.addContainer('carets');
  const draw = () =>
    layer.replaceChildren(
      ...Object.values(presence.remotePresences).map(({ index, length, name }) => {
        const { left, top, height } = quill.getBounds(index + length);
        const caret = document.createElement('span');

        caret.className = 'caret';
        caret.title = name;
        caret.style.cssText = `position: absolute; left: ${left}px; top: ${top}px; height: ${height}px; border-left: 2px solid crimson`;
        return caret;
      }),
    );

  presence.on('receive', () => setTimeout(draw)); // the edit that moved it may not be shown yet
  quill.on('editor-change', () => {
    const range = quill.hasFocus() ? quill.getSelection() : null;

    if (doc.type) own.submit(range && { ...range, name }, error => error && console.warn(error));
  });
  await promised(done => presence.subscribe(done));
}
