// A light hand for plain text that is written like Markdown: headings, strong, emphasis, code and quotes look the part;
// every character stays where it is.
import { Decoration, MatchDecorator, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from '@codemirror/view';

// Mark: how many characters at each end only say what is meant.
const styles = [
  { name: 'code', mark: 1, pattern: /`[^`\n]+`/ },
  { name: 'strong', mark: 2, pattern: /\*\*[^*\n]+\*\*/ },
  { name: 'emphasis', mark: 1, pattern: /(?<![\p{L}\p{N}_*])[_*][^_*\s](?:[^_*\n]*[^_*\s])?[_*](?![\p{L}\p{N}_*])/u },
  { name: 'link', mark: 0, pattern: /https?:\/\/[^\s<>()"']+/ },
];

const faint = Decoration.mark({ class: 'prose-mark' });
const looks = styles.map(style => Decoration.mark({ class: `prose-${style.name}` }));

const inline = new MatchDecorator({
  regexp: new RegExp(styles.map(style => `(${style.pattern.source})`).join('|'), 'gu'),
  decorate(add, from, to, match) {
    const index = match.slice(1).findIndex(Boolean);
    const { mark } = styles[index]!;

    add(from, to, looks[index]!);
    if (mark === 0) return;
    add(from, from + mark, faint);
    add(to - mark, to, faint);
  },
});

const lines = new MatchDecorator({
  regexp: /^(?:(#{1,6}) |> |[-*] |```)/gmu,
  decorate(add, from, to, match, view) {
    if (view.state.doc.lineAt(from).from !== from) return; // a piece of a very long line
    const name = match[1] ? `heading-${Math.min(match[1].length, 3)}` : match[0] === '> ' ? 'quote' : null;

    if (name) add(from, from, Decoration.line({ class: `prose-${name}` }));
    if (match[1]) add(from, to, faint);
  },
});

function plugin(decorator: MatchDecorator) {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(view: EditorView) {
        this.decorations = decorator.createDeco(view);
      }

      update(update: ViewUpdate) {
        this.decorations = decorator.updateDeco(update, this.decorations);
      }
    },
    { decorations: instance => instance.decorations },
  );
}

export const prose = [plugin(lines), plugin(inline)];
