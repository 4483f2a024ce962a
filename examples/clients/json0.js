// Things that several people vote on: { things: [{ name, votes }] }, of the type json0, which the client knows by itself.
export function showList(list, form, doc) {
  const vote = i => doc.submitOp([{ p: ['things', i, 'votes'], na: 1 }]);
  const add = name => doc.submitOp([{ p: ['things', doc.data.things.length], li: { name, votes: 0 } }]);
  const show = () => {
    const things = doc.data?.things ?? [];

    for (let i = list.children.length; i < things.length; i++)
      list.append(Object.assign(document.createElement('button'), { onclick: () => vote(i) }));
    things.forEach(({ name, votes }, i) => (list.children[i].textContent = `${name}: ${votes}`));
  };

  form.onsubmit = event => {
    event.preventDefault();
    add(form.elements.name.value);
    form.reset();
  };
  doc.on('op', show).on('load', show);
  show();
}
