// Text is always valid Unicode: half a surrogate pair can neither be stored nor sent. A transaction that would leave
// one behind (a broken clipboard, an input method that deletes by units) gets the replacement character instead.
import { EditorState, type ChangeSpec, type Extension, type Text, type Transaction } from '@codemirror/state';

const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

// Where new text stands or old text was cut, with a unit more on both sides.
function repairs(text: Text, from: number, to: number): ChangeSpec[] {
  const start = Math.max(0, from - 2);
  const slice = text.sliceString(start, Math.min(text.length, to + 2));
  const changes: ChangeSpec[] = [];

  for (const match of slice.matchAll(lone)) {
    const at = start + match.index!;
    const isEdge = (at === start && start > 0) || (at === start + slice.length - 1 && at < text.length - 1);

    if (!isEdge) changes.push({ from: at, to: at + 1, insert: '\ufffd' });
  }
  return changes;
}

function repaired(transaction: Transaction) {
  const changes: ChangeSpec[] = [];

  if (!transaction.docChanged) return transaction;
  transaction.changes.iterChanges((_from, _to, from, to) => changes.push(...repairs(transaction.newDoc, from, to)));
  return changes.length ? [transaction, { changes, sequential: true }] : transaction;
}

export function wellFormed(): Extension {
  return EditorState.transactionFilter.of(repaired);
}
