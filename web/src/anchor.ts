// What somebody else writes above must not move what one is looking at. The caret's line, when it is in view, stays where it
// is on the screen; else the topmost visible line does.
//
// The heights of lines out of view are estimates: after each scroll the editor measures what has come into view, and
// the place is put right again, until it stands still. Changes that arrive meanwhile only move the anchor.
import type { ChangeSet } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';

const ROUNDS_MAX = 10; // measurements until it must stand still

export class Anchor {
  private at: number | null = null; // a position in the document
  private top = 0; // where its line belongs on the screen
  private rounds = 0; // still to come; 0: nothing is under way

  constructor(private readonly view: () => EditorView) {}

  // Does what changes the document and keeps the view in its place.
  during(changes: ChangeSet, dispatch: () => void): void {
    if (this.at === null) this.take();
    dispatch();
    if (this.at === null) return;
    this.at = changes.mapPos(this.at, 1);
    if (this.rounds === 0) this.settle();
    this.rounds = ROUNDS_MAX;
  }

  // The user scrolls or writes: the place is where he has put it.
  release(): void {
    this.at = null;
  }

  private take(): void {
    const view = this.view();
    const { head } = view.state.selection.main;

    if (view.hasFocus && this.isInView(head)) this.at = head;
    else if (view.scrollDOM.scrollTop > 0) this.at = view.lineBlockAtHeight(view.scrollDOM.getBoundingClientRect().top - view.documentTop).from;
    if (this.at !== null) this.top = this.topOf(this.at);
  }

  private isInView(position: number): boolean {
    const view = this.view();
    const place = view.coordsAtPos(position, 1);
    const window = view.scrollDOM.getBoundingClientRect();

    return place !== null && place.top >= window.top && place.bottom <= window.bottom;
  }

  private topOf(position: number): number {
    return this.view().documentTop + this.view().lineBlockAt(position).top;
  }

  private settle(): void {
    this.view().requestMeasure({
      key: this,
      read: () => (this.at === null ? null : this.topOf(this.at) - this.top),
      write: off => {
        if (off !== null && Math.abs(off) >= 1) this.view().scrollDOM.scrollTop += off;
        if (--this.rounds > 0) requestAnimationFrame(() => this.settle());
        else this.release();
      },
    });
  }
}
