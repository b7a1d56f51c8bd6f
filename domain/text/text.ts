// Text that others wrote: how long it is, whether it may go on, and what of it may be shown. Pure.

const ASCII = /^[\x20-\x7e]*$/;
/** Controls (C0, C1, escape), format characters (bidi, zero-width, byte order mark), line and paragraph separators, halves of a pair. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/u;
const EACH_HIDDEN = new RegExp(HIDDEN.source, 'gu');
/** The two format characters that belong to the spelling of words (Persian, Hindi, Malayalam): the joiners. */
const JOINERS = /[\u200c\u200d]/g;
const REPLACEMENT = '\ufffd';
const CUT = '…';

/** What logs, stores and terminals keep of a text from outside, in characters, where they name no other bound. */
export const MAX_SHOWN_CHARACTERS = 500;

/** Whether a text has more characters (code points) than `most`. */
export function isLongerThan(text: string, most: number): boolean {
  if (text.length <= most) return false;
  // No character takes more than two units.
  if (text.length > 2 * most) return true;
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters > most;
}

/** The first characters of a text: at most `most` of them, none of them half. */
export function firstCharacters(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  for (let taken = 0; taken < most && end < text.length; taken += 1) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

/**
 * Whether a text may go on to other systems: it shows all that it holds. No controls, no format characters but the joiners,
 * no line breaks, no half of a pair, and no U+FFFD, which says that somebody before us could not read it.
 */
export function isPlainText(text: string): boolean {
  if (ASCII.test(text)) return true;
  return !text.includes(REPLACEMENT) && !HIDDEN.test(text.replace(JOINERS, ''));
}

/** A text as it can be shown, logged and stored: hidden characters become U+FFFD, and the rest is cut at `most` characters. */
export function safeText(text: string, most: number = MAX_SHOWN_CHARACTERS): string {
  const cut = isLongerThan(text, most) ? firstCharacters(text, most - 1) + CUT : text;
  return ASCII.test(cut) ? cut : cut.replace(EACH_HIDDEN, REPLACEMENT);
}

/** The same for what has lines of its own (a stack, JSON for people): line feeds stay, tabs become spaces. */
export function safeLines(text: string, most: number = MAX_SHOWN_CHARACTERS): string {
  const cut = isLongerThan(text, most) ? firstCharacters(text, most - 1) + CUT : text;
  return cut
    .split('\n')
    .map((line) => safeText(line.replaceAll('\t', '  ').replace(/\r$/, ''), Number.POSITIVE_INFINITY))
    .join('\n');
}

/**
 * Values from outside as labels of metrics: the first `most` of them are kept as they can be shown, every later one is
 * `other`, so that nobody makes series without end.
 */
export function boundedLabels(most = 50): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    const label = safeText(value, MAX_LABEL_CHARACTERS);
    if (known.has(label)) return label;
    if (known.size >= most) return 'other';
    known.add(label);
    return label;
  };
}
const MAX_LABEL_CHARACTERS = 60;

/** JSON that is exact and shows nothing hidden: such characters become `\u` escapes. Breaks of indentation stay. */
export function safeJson(json: string): string {
  return ASCII_LINES.test(json) ? json : json.replace(EACH_HIDDEN, escaped);
}
const ASCII_LINES = /^[\x20-\x7e\n]*$/;

function escaped(character: string): string {
  if (character === '\n') return character;
  let units = '';
  for (let at = 0; at < character.length; at += 1)
    units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return units;
}
