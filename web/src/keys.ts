// The keys that people should know, as the help shows them.
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

export const shortcuts: readonly (readonly [keys: string, does: string])[] = [
  ['Mod+Z', 'Undo your own last edit'],
  [isMac ? 'Mod+Shift+Z' : 'Mod+Y', 'Redo'],
  ['Mod+F', 'Find and replace'],
  ['Mod+G', 'Next match'],
  ['Mod+Alt+G', 'Go to a line'],
  ['Alt+↑ / Alt+↓', 'Move the line'],
  ['Shift+Alt+↓', 'Copy the line'],
  ['Tab', 'Indent'],
  ['Shift+Tab', 'Indent less'],
  ['Escape', 'Leave the text; Tab then walks through the page'],
  ['Mod+/ or F1', 'This help'],
];

export function keyName(keys: string): string {
  return isMac ? keys.replaceAll('Mod+', '⌘').replaceAll('Shift+', '⇧').replaceAll('Alt+', '⌥') : keys.replaceAll('Mod', 'Ctrl');
}
