// The others' carets and selections, drawn over and under the text without touching it: an input method at work notices
// nothing, and no line is broken anew.
import { EditorSelection, StateEffect, StateField, type ChangeDesc, type Extension } from '@codemirror/state';
import { EditorView, RectangleMarker, layer, type LayerMarker, type ViewUpdate } from '@codemirror/view';

const NEAR_PIXELS = 8;

export interface Caret {
  readonly id: string;
  readonly name: string;
  readonly color: number;
  readonly anchor: number; // positions in the editor's text
  readonly head: number;
  readonly isFresh: boolean; // says its name
}

const show = StateEffect.define<readonly Caret[]>();

export function showCarets(view: EditorView, carets: readonly Caret[]): void {
  if (!isSame(view.state.field(field), carets)) view.dispatch({ effects: show.of(carets) });
}

const isSame = (one: readonly Caret[], other: readonly Caret[]) => JSON.stringify(one) === JSON.stringify(other);

// Between two showings the carets go along with the text.
const field = StateField.define<readonly Caret[]>({
  create: () => [],
  update(carets, transaction) {
    for (const effect of transaction.effects) if (effect.is(show)) return effect.value;
    return transaction.docChanged ? carets.map(caret => mapped(caret, transaction.changes)) : carets;
  },
});

function mapped(caret: Caret, changes: ChangeDesc): Caret {
  return { ...caret, anchor: changes.mapPos(caret.anchor), head: changes.mapPos(caret.head) };
}

class CaretMarker implements LayerMarker {
  constructor(
    private readonly caret: Caret,
    private readonly place: RectangleMarker,
    private readonly isFlipped: boolean, // its name stands to the left
  ) {}

  eq(other: CaretMarker): boolean {
    return this.place.eq(other.place) && this.isFlipped === other.isFlipped && isSame([this.caret], [other.caret]);
  }

  draw(): HTMLElement {
    const element = document.createElement('div');
    const flag = document.createElement('span');

    flag.dir = 'auto';
    element.append(flag);
    this.adjust(element);
    return element;
  }

  update(element: HTMLElement, before: CaretMarker): boolean {
    if (before.caret.id !== this.caret.id) return false;
    this.adjust(element);
    return true;
  }

  private adjust(element: HTMLElement): void {
    const { name, color, isFresh } = this.caret;
    const flag = element.firstElementChild as HTMLElement;
    const isNear = element.classList.contains('is-near');

    element.className = `caret person-${color}`;
    element.classList.toggle('is-fresh', isFresh);
    element.classList.toggle('is-near', isNear);
    element.classList.toggle('is-flipped', this.isFlipped);
    if (flag.textContent !== name) flag.textContent = name;
    element.style.left = `${this.place.left}px`;
    element.style.top = `${this.place.top}px`;
    element.style.height = `${this.place.height}px`;
  }
}

function caretMarkers(view: EditorView): CaretMarker[] {
  return view.state.field(field).flatMap(caret =>
    RectangleMarker.forRange(view, '', EditorSelection.cursor(caret.head)).map(
      place => new CaretMarker(caret, place, place.left - view.scrollDOM.scrollLeft > view.scrollDOM.clientWidth / 2),
    ),
  );
}

function rangeMarkers(view: EditorView): RectangleMarker[] {
  return view.state
    .field(field)
    .filter(({ anchor, head }) => anchor !== head)
    .flatMap(({ color, anchor, head }) => [...RectangleMarker.forRange(view, `caret-range person-${color}`, EditorSelection.range(anchor, head))]);
}

const isStale = (update: ViewUpdate) => update.docChanged || update.viewportChanged || update.startState.field(field) !== update.state.field(field);

// A caret takes no clicks, so it does not hear of the pointer by itself.
function pointer(event: MouseEvent, view: EditorView): void {
  for (const caret of view.scrollDOM.querySelectorAll('.caret')) {
    const { left, right, top, bottom } = caret.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;

    caret.classList.toggle('is-near', x > left - NEAR_PIXELS && x < right + NEAR_PIXELS && y > top && y < bottom);
  }
}

export function carets(): Extension {
  return [
    field,
    layer({ above: true, class: 'carets', markers: caretMarkers, update: isStale }),
    layer({ above: false, class: 'caret-ranges', markers: rangeMarkers, update: isStale }),
    EditorView.domEventObservers({ mousemove: pointer, mouseleave: pointer }),
  ];
}
