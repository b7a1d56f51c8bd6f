// The commands of `corridor` that a page shows: in blocks of shell, and in the text.

export interface ShownCommand {
  /** As it stands on the page, without what a shell would make of it. */
  readonly line: string;
  /** Behind `corridor`. */
  readonly words: readonly string[];
  /** It stands in a block, to be copied. */
  readonly isInBlock: boolean;
  /** What the page says beside it. */
  readonly comment: string;
}

const BLOCK = /^[ \t]*```sh\n([\s\S]*?)^[ \t]*```/gm;
const INLINE = /(?<!`)`((?:npm run (?:-s )?corridor -- |corridor )[^`\n]+)`(?!`)/g;
const COMMAND = /(?:^|[\s(;])(?:npm run (?:-s )?corridor -- |corridor )(?=[a-z])/g;

export function commandsIn(page: string): readonly ShownCommand[] {
  const blocks = [...page.matchAll(BLOCK)].flatMap(([, text]) =>
    text!.split('\n').flatMap((line) => onLine(line, true)),
  );
  const text = page.replaceAll(BLOCK, '');
  const inline = [...text.matchAll(INLINE)].flatMap(([, line]) => onLine(line!, false));
  // `corridor dlq replays pause|resume` names several at once: it is no line to copy.
  return [...blocks, ...inline.filter(({ words }) => !words.some((word) => word.includes('|')))];
}

function onLine(line: string, isInBlock: boolean): readonly ShownCommand[] {
  return [...line.matchAll(COMMAND)].flatMap((found) => {
    const rest = line.slice(found.index + found[0].length);
    const { words, comment } = split(rest);
    return words.length === 0 ? [] : [{ line: line.trim(), words, comment, isInBlock }];
  });
}

/** As far as the command goes: to a comment, a pipe, a redirection, a second command or the end of a substitution. */
function split(text: string): { readonly words: readonly string[]; readonly comment: string } {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const [space] = /^\s*/.exec(rest)!;
    at += space.length;
    if (/^(?:#|\|(?!\w)|[<>](?=\s)|;|&|\)|$)/.test(text.slice(at))) break;
    const word = wordAt(text, at);
    words.push(word.text);
    at = word.end;
  }
  const comment = /^#\s*(.*)$/.exec(text.slice(at))?.[1] ?? /\s#\s+(.*)$/.exec(text.slice(at))?.[1] ?? '';
  return { words, comment };
}

function wordAt(text: string, from: number): { readonly text: string; readonly end: number } {
  let word = '';
  let quote: string | undefined;
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\' && quote !== "'") word += text[++at] ?? '';
    else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    else if (quote === undefined && /[\s)]/.test(character)) break;
    else word += character;
  }
  return { text: word, end: at };
}
