// Who is here, in the head of the page: initials, and behind them a list of names that leads to their carets.
import { make, one } from './dom.ts';
import type { Person } from './people.ts';

const INITIALS_MAX = 3;

export const GUEST = 'Guest';

export function listPeople(own: { name: string; color: number }, people: readonly Person[], goTo: (id: string) => void): void {
  const button = one('#people-button');
  const list = one('#people');
  const leave = (action: () => void) => () => {
    list.hidePopover();
    action();
  };

  one('#name-initial').className = `initial person-${own.color}`;
  button.hidden = people.length === 0;
  button.setAttribute('aria-label', `Also here: ${people.map(nameOf).join(', ')}`);
  button.replaceChildren(...initials(people));
  list.replaceChildren(
    entry(own.name, own.color, 'you', leave(() => one('#name-button').click())),
    ...people.map(person => entry(nameOf(person), person.color, '', leave(() => goTo(person.id)))),
  );
  if (people.length === 0) list.hidePopover();
}

const nameOf = ({ name }: Person) => name || GUEST;

function initials(people: readonly Person[]): HTMLElement[] {
  const shown = people.slice(0, people.length > INITIALS_MAX ? INITIALS_MAX - 1 : INITIALS_MAX);
  const nMore = people.length - shown.length;
  const circles = shown.map(person => make('span', { className: `initial person-${person.color}`, textContent: [...nameOf(person)][0]!.toUpperCase() }));

  return nMore ? [...circles, make('span', { className: 'initial', textContent: `+${nMore}` })] : circles;
}

function entry(name: string, color: number, remark: string, chosen: () => void): HTMLLIElement {
  const button = make(
    'button',
    { type: 'button', className: 'menu-item' },
    make('span', { className: `person-dot person-${color}` }),
    make('span', { className: 'person-name', textContent: name, dir: 'auto' }),
    make('span', { className: 'hint', textContent: remark }),
  );

  button.addEventListener('click', chosen);
  return make('li', {}, button);
}
