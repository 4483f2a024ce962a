// Where the others are in a CodeMirror. ot-text-unicode does not say how carets move; this adds it. They count characters.
import { StateEffect, StateField } from '@codemirror/state';
import { Decoration, EditorView, WidgetType } from '@codemirror/view';
import { type } from 'ot-text-unicode';
import { characters, unitsAfter } from './text.js';

type.transformPresence = (caret, op) => caret && { ...caret, index: type.transformPosition(caret.index, op) };

const setCarets = StateEffect.define();
const shown = StateField.define({
  create: () => Decoration.none,
  update: (carets, { changes, effects }) => effects.find(effect => effect.is(setCarets))?.value ?? carets.map(changes),
  provide: field => EditorView.decorations.from(field),
});

class Caret extends WidgetType {
  constructor(name) {
    super();
    this.name = name;
  }

  eq = other => other.name === this.name;

  toDOM() {
    const caret = document.createElement('span');

    caret.className = 'caret';
    caret.title = this.name;
    caret.style.cssText = 'border-left: 2px solid crimson; margin: 0 -1px';
    return caret;
  }
}

export function showCarets(view, doc, name) {
  const presence = doc.connection.getDocPresence(doc.collection, doc.id);
  const own = presence.create();
  const draw = () => {
    const text = view.state.doc.toString();
    const carets = Object.values(presence.remotePresences).map(({ index, name }) =>
      Decoration.widget({ widget: new Caret(name) }).range(Math.min(unitsAfter(text, 0, index), text.length)));

    view.dispatch({ effects: setCarets.of(Decoration.set(carets, true)) });
  };
  const submit = EditorView.updateListener.of(({ state, view, docChanged, selectionSet, focusChanged }) => {
    const index = characters(state.sliceDoc(0, state.selection.main.head));

    if (doc.type && (docChanged || selectionSet || focusChanged))
      own.submit(view.hasFocus ? { index, length: 0, name } : null, error => error && console.warn(error));
  });

  view.dispatch({ effects: StateEffect.appendConfig.of([shown, submit]) });
  presence.on('receive', () => setTimeout(draw)); // the edit that moved it may not be shown yet
  presence.subscribe();
}
