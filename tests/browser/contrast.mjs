// How well text can be read, by the measure of WCAG.

// Runs in the page: what falls short, as "1.97 “text” #777 on #fff".
export function faults(atLeast) {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const seen = new Set();

  // Red, green, blue and opacity, all from 0 to 1, of any colour that CSS can write.
  const parse = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map(value => value / 255);
  };
  const over = ([r, g, b, alpha], below) => [r, g, b].map((value, i) => value * alpha + below[i] * (1 - alpha)).concat(1);
  const linear = value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const hex = color => `#${color.slice(0, 3).map(value => Math.round(value * 255).toString(16).padStart(2, '0')).join('')}`;
  const chain = element => (element ? [...chain(element.parentElement), element] : []);
  const background = element => chain(element).reduce((below, one) => over(parse(getComputedStyle(one).backgroundColor), below), [1, 1, 1, 1]);
  const opacity = element => chain(element).reduce((product, one) => product * Number(getComputedStyle(one).opacity), 1);

  const check = (what, color, alpha, below) => {
    const drawn = over([...color.slice(0, 3), color[3] * alpha], below);
    const [dark, light] = [luminance(drawn), luminance(below)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);

    if (ratio < atLeast) seen.add(`${ratio.toFixed(2)} “${what}” ${hex(drawn)} on ${hex(below)}`);
  };
  const checkElement = (element, what, pseudo) => {
    const alpha = opacity(element);

    if (alpha === 0 || !element.checkVisibility({ visibilityProperty: true }) || element.closest('.visually-hidden')) return;
    const below = background(element);
    const selection = getComputedStyle(element, '::selection');

    check(what, parse(getComputedStyle(element, pseudo).color), alpha, below);
    if (!pseudo) check(`${what} (selected)`, parse(selection.color), alpha, over(parse(selection.backgroundColor), below));
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);

  while (texts.nextNode())
    if (texts.currentNode.data.trim()) checkElement(texts.currentNode.parentElement, texts.currentNode.data.trim().slice(0, 40));
  for (const input of document.querySelectorAll('input[placeholder]')) checkElement(input, input.placeholder, '::placeholder');
  return [...seen];
}
