// Writes XML of elements in order, and text in the character set of CBPR+. Pure.

/** An element: its name, what is in it, and its attributes. Nothing in it: it is left out. */
export interface XmlElement {
  readonly name: string;
  readonly content: string | readonly (XmlElement | undefined)[] | undefined;
  readonly attributes?: Readonly<Record<string, string>>;
}

export const element = (
  name: string,
  content: XmlElement['content'],
  attributes: Readonly<Record<string, string>> = {},
): XmlElement => ({ name, content, attributes });

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);

/** XML text of an element; an element with nothing in it, at whatever depth, is left out. */
export function xmlOf(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${linesOf(root, '').join('\n')}\n`;
}

function linesOf({ name, content, attributes = {} }: XmlElement, indent: string): readonly string[] {
  if (content === undefined || content === '') return [];
  const opening = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`)].join(' ');
  if (typeof content === 'string') return [`${indent}<${opening}>${escaped(content)}</${name}>`];
  const inside = content.flatMap((child) => (child ? linesOf(child, `${indent}  `) : []));
  return inside.length === 0 ? [] : [`${indent}<${opening}>`, ...inside, `${indent}</${name}>`];
}

/** Letters that do not come apart into a letter and a mark. */
const SPELLED: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o', Ø: 'O', đ: 'd', Đ: 'D', ł: 'l', Ł: 'L', þ: 'th', Þ: 'TH' },
  ...{ ð: 'd', Ð: 'D', ı: 'i', '’': "'", '‘': "'", '“': "'", '”': "'", '–': '-', '—': '-', '"': "'" },
};
/** FIN X, which every CBPR+ text may hold. */
const OUTSIDE = /[^A-Za-z0-9/\-?:().,'+ ]/g;

/**
 * A text in the character set of CBPR+ (FIN X): letters lose their marks, what has no Latin letter becomes a dot, and the rest is
 * cut at so many characters. Undefined: nothing is left of it.
 */
export function latinText(text: string | null | undefined, most: number): string | undefined {
  if (text === null || text === undefined) return undefined;
  const plain = [...text.normalize('NFKD').replace(/\p{M}/gu, '')].map((each) => SPELLED[each] ?? each).join('');
  const cut = plain.replace(OUTSIDE, '.').replace(/ +/g, ' ').trim().slice(0, most).trim();
  return cut === '' ? undefined : cut;
}
