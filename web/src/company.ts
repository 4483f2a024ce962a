// The others on the page: their carets in the text, their names in the head.
import { EditorView } from '@codemirror/view';
import { showCarets, type Caret } from './carets.ts';
import { pointsBetween, positionsOf } from './convert.ts';
import { GUEST, listPeople } from './here.ts';
import { Presence } from './presence.ts';
import { movePlace, shapeOf, type Place } from './place.ts';
import type { Person } from './people.ts';
import type { Session } from './session.ts';
import type { TextView } from './view.ts';
import type { Link } from './link.ts';

const FRESH_MS = 2000; // a caret says whose it is for so long after it was moved
const AWAY_MS = 5 * 60_000; // out of sight for so long is not here

export class Company {
  private readonly presence: Presence;
  private frame = 0;
  private fadeTimer = 0;
  private awayTimer = 0;
  private listed = '';

  constructor(
    link: Link,
    private readonly session: Session,
    private readonly editor: TextView,
    private readonly ownName: () => string,
  ) {
    this.presence = new Presence(link.connection, session.doc, {
      name: () => this.ownName(),
      place: () => this.ownPlace(),
      changed: () => this.showSoon(),
    });
    document.addEventListener('visibilitychange', () => this.look());
  }

  // Own caret, text or name may have changed, or what held them up is over.
  touch(): void {
    this.presence.touch();
    this.showSoon();
  }

  private look(): void {
    clearTimeout(this.awayTimer);
    if (document.hidden) this.awayTimer = setTimeout(() => this.presence.setAway(true), AWAY_MS);
    else this.presence.setAway(false);
  }

  private ownPlace(): Place | null {
    const { doc, bound } = this.session;

    if (!bound || bound.isStranded || bound.isHolding || doc.type === null || doc.hasWritePending()) return null;
    const { doc: text, selection } = this.editor.state;

    return { anchor: pointsBetween(text, 0, selection.main.anchor), head: pointsBetween(text, 0, selection.main.head) };
  }

  private showSoon(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.show();
    });
  }

  private show(): void {
    const people = this.presence.people.all();
    const now = Date.now();
    const fades = people.map(person => person.movedAt + FRESH_MS - now).filter(ms => ms > 0);

    // What the editor still lacks comes soon, and the carets with it; until then they move along as they are.
    if (!this.session.bound?.isHolding) showCarets(this.editor.view, this.caretsOf(people, now));
    clearTimeout(this.fadeTimer);
    if (fades.length) this.fadeTimer = setTimeout(() => this.showSoon(), Math.min(...fades));
    this.list(people);
  }

  // Over what the server does not have yet, and in the editor's units.
  private caretsOf(people: readonly Person[], now: number): Caret[] {
    const { doc } = this.session;
    const waiting = [...(doc.inflightOp ? [doc.inflightOp] : []), ...doc.pendingOps].map(({ op }) => shapeOf(op ?? []));
    const placed = people.flatMap(({ place, ...about }) =>
      place ? [{ ...about, place: waiting.reduce((at, shape) => movePlace(at, shape, false), place) }] : [],
    );
    const positions = positionsOf(this.editor.state.doc, placed.flatMap(({ place }) => [place.anchor, place.head]));

    return placed.map(({ id, name, color, place, movedAt }) => ({
      id,
      name: name || GUEST,
      color,
      anchor: positions.get(place.anchor)!,
      head: positions.get(place.head)!,
      isFresh: now - movedAt < FRESH_MS,
    }));
  }

  private list(people: readonly Person[]): void {
    const own = { name: this.ownName(), color: this.presence.ownColor };
    const sorted = [...people].sort((a, b) => a.name.localeCompare(b.name));
    const key = JSON.stringify([own, sorted.map(({ id, name, color }) => [id, name, color])]);

    if (key === this.listed) return;
    this.listed = key;
    listPeople(own, sorted, id => this.goTo(id));
  }

  private goTo(id: string): void {
    const caret = this.caretsOf(this.presence.people.all(), 0).find(caret => caret.id === id);

    if (caret) this.editor.view.dispatch({ effects: EditorView.scrollIntoView(caret.head, { y: 'center' }) });
  }
}
