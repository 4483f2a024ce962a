// Where a caret is while the text changes under it. Places count code points, as operations do, and belong to a version.
//
// Everybody moves a place over the same operations in the same order, the committed ones. So all pages come to the same
// place, and who owns the caret can tell whether they still have it right.
import type { TextOp } from 'ot-text-unicode';
import { pointsIn } from './convert.ts';

export interface Place {
  anchor: number;
  head: number;
}

// An operation without its text: skipped, inserted, deleted code points.
export type Shape = (number | { i: number } | { d: number })[];

export function shapeOf(op: TextOp): Shape {
  return op.map(part => {
    if (typeof part === 'number') return part;
    if (typeof part === 'string') return { i: pointsIn(part) };
    return { d: typeof part.d === 'string' ? pointsIn(part.d) : part.d };
  });
}

// isBehind: what is inserted exactly here comes before the position.
function moved(position: number, shape: Shape, isBehind: boolean): number {
  let at = 0;

  for (const part of shape) {
    if (at > position) break;
    if (typeof part === 'number') {
      at += part;
    } else if ('i' in part) {
      if (at < position || isBehind) position += part.i;
      at += part.i;
    } else {
      position -= Math.min(part.d, position - at);
    }
  }
  return position;
}

// As editors do it: a caret goes along with what its owner types and stays where others type; a selection does not grow at
// its ends.
export function movePlace({ anchor, head }: Place, shape: Shape, isOwn: boolean): Place {
  if (isOwn || anchor === head) return { anchor: moved(anchor, shape, isOwn), head: moved(head, shape, isOwn) };
  const from = moved(Math.min(anchor, head), shape, true);
  const to = Math.max(from, moved(Math.max(anchor, head), shape, false));

  return anchor < head ? { anchor: from, head: to } : { anchor: to, head: from };
}

// The operations that led to the present version, as far back as it has been followed.
export class Past {
  private steps: { shape: Shape; src: string }[] = [];

  constructor(
    private readonly nMax: number,
    public version: number,
  ) {}

  restart(version: number): void {
    this.steps = [];
    this.version = version;
  }

  append(shape: Shape, src: string): void {
    this.steps.push({ shape, src });
    if (this.steps.length > this.nMax) this.steps.shift();
    this.version++;
  }

  // A place of the version v, brought to the present one. null: it is older than what is known.
  bring(place: Place, v: number, src: string): Place | null {
    const nMissed = this.version - v;

    if (nMissed > this.steps.length) return null;
    return this.steps.slice(this.steps.length - nMissed).reduce((at, step) => movePlace(at, step.shape, step.src === src), place);
  }
}
