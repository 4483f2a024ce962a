// The few helpers that the pages share. Text from anywhere enters the page as text, never as markup.
export function one<T extends HTMLElement = HTMLElement>(selector: string): T {
  const element = document.querySelector<T>(selector);

  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);

  element.append(...children);
  return element;
}

// Said by a screen reader when it has a moment.
export function announce(text: string): void {
  one('#announce').textContent = text;
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

// Pages that came over plain HTTP from elsewhere have no clipboard object.
function copyByHand(text: string): boolean {
  const area = make('textarea', { value: text, className: 'visually-hidden' });
  const before = document.activeElement;

  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');

  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}

export function download(name: string, text: string): void {
  const href = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));

  make('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

// A word that goes away by itself.
let toastTimer = 0;

export function toast(text: string): void {
  const element = one('#toast');

  element.textContent = text;
  element.classList.add('is-shown');
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => element.classList.remove('is-shown'), 2500);
}

// Radio buttons of one name, showing and setting a choice.
export function choice(name: string, value: string, chosen: (value: string) => void): void {
  for (const input of document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)) {
    input.checked = input.value === value;
    input.addEventListener('change', () => input.checked && chosen(input.value));
  }
}
