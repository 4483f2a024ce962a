// rescue(error) is called before the client takes a refused edit back: the editor still shows what the user wrote.
export function beforeTakenBack(doc, rescue) {
  doc.connection.on('receive', ({ data: { a, c, d, error } }) => {
    if (a === 'op' && error && c === doc.collection && d === doc.id) rescue(error);
  });
}
