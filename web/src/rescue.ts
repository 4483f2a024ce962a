// What the user wrote and the document does not have: edits that were refused, and edits made while there was no document
// to put them into.
//
//     document data + lost == the text with everything in it          lost === null: nothing is missing
//
// It is an operation and no copy: it moves along with every later edit, so what is refused next joins it at its place, and
// nothing that was refused before is forgotten.
import { ChangeSet, Text } from '@codemirror/state';
import { type as textType, type TextOp } from 'ot-text-unicode';
import { changeBetween, opFromChanges } from './convert.ts';

export class Rescue {
  private lost: TextOp | null = null;

  get isEmpty(): boolean {
    return this.lost === null;
  }

  // The document's text with all that is missing put back.
  over(text: string): string {
    return this.lost ? textType.apply(text, this.lost) : text;
  }

  // The document changes.
  follow(op: TextOp): void {
    if (this.lost) this.lost = textType.transform(this.lost, op, 'left');
  }

  // The document changes because this operation takes a refused edit back. The client can do so only where it knows what
  // goes, and so it can be undone here.
  takenBack(op: TextOp): void {
    this.lost = textType.compose(textType.invert(op), this.lost ?? []);
  }

  // The document has become `data`, whatever it was before. Returns whether anything is missing.
  replaced(data: string, wanted: string): boolean {
    this.lost = data === wanted ? null : opBetween(data, wanted);
    return this.lost !== null;
  }

  forget(): void {
    this.lost = null;
  }
}

function opBetween(before: string, after: string): TextOp {
  const text = Text.of(before.split('\n'));

  return opFromChanges(text, ChangeSet.of(changeBetween(before, after), text.length, '\n'));
}
