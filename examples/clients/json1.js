// Things that several people sort: { things: [{ name }] }, of the type json1. A click moves a thing to the top.
import { types } from 'sharedb/lib/client/index.js';
import { insertOp, moveOp, type } from 'ot-json1';

types.register(type);

export function showList(list, form, doc) {
  const toTop = i => i > 0 && doc.submitOp(moveOp(['things', i], ['things', 0]));
  const add = name => doc.submitOp(insertOp(['things', doc.data.things.length], { name }));
  const show = () => {
    const things = doc.data?.things ?? [];

    for (let i = list.children.length; i < things.length; i++)
      list.append(Object.assign(document.createElement('button'), { onclick: () => toTop(i) }));
    things.forEach(({ name }, i) => (list.children[i].textContent = name));
  };

  form.onsubmit = event => {
    event.preventDefault();
    add(form.elements.name.value);
    form.reset();
  };
  doc.on('op', show).on('load', show);
  doc.on('error', ({ code }) => code === 'ERR_OT_TRANSFORM_CONFLICT' && doc.fetch());
  show();
}
