// JSON that means one thing: what parsers disagree about (repeated keys, numbers that a double does not hold, bytes that
// are no UTF-8, halves of characters) is refused, never guessed at. Pure.

/** Why a text cannot be used, in a few words for whoever wrote it; they hold nothing of the text but keys and numbers. */
export class JsonRefused extends Error {
  readonly code: 'NOT_UTF8' | 'NOT_JSON' | 'KEY_REPEATED' | 'NUMBER_INEXACT';
  constructor(code: JsonRefused['code'], message: string) {
    super(message);
    this.name = 'JsonRefused';
    this.code = code;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 as text, without a byte order mark. @throws JsonRefused NOT_UTF8 */
export function strictText(bytes: Uint8Array): string {
  try {
    const text = utf8.decode(bytes);
    return text.startsWith('\ufeff') ? text.slice(1) : text;
  } catch {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new JsonRefused('NOT_UTF8', utf16 ? 'UTF-16, not UTF-8: save it as UTF-8' : 'not UTF-8: save it as UTF-8');
  }
}

/** What the JSON says. @throws JsonRefused NOT_JSON, KEY_REPEATED (at any depth), NUMBER_INEXACT */
export function strictJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonRefused('NOT_JSON', 'not JSON');
  }
  checkTokens(text, checkNumber);
  return value;
}

/**
 * The same, with numbers as the text that stands there: `1.0856`, not the double next to it.
 * @throws JsonRefused NOT_JSON, KEY_REPEATED (at any depth)
 */
export function jsonOfTexts(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text, asWritten as Reviver);
  } catch {
    throw new JsonRefused('NOT_JSON', 'not JSON');
  }
  checkTokens(text, () => undefined);
  return value;
}

type Reviver = (key: string, value: unknown) => unknown;
const asWritten = (_key: string, value: unknown, { source }: { readonly source: string }): unknown =>
  typeof value === 'number' ? source : value;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(?=(\s*:)?)|[{}]|-?\d[\d.eE+-]*/g;

/** Keys and numbers of a text that is JSON for certain: a string before a colon is a key, whatever stands in it. */
function checkTokens(text: string, number: (token: string) => void): void {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token[0] !== '"') number(token);
    else if (colon !== undefined) {
      const key = JSON.parse(token) as string;
      const keys = open.at(-1)!;
      if (keys.has(key))
        throw new JsonRefused('KEY_REPEATED', `the key ${JSON.stringify(key.slice(0, 60))} stands twice`);
      keys.add(key);
    }
  }
}

/** Up to here every decimal comes back from a double as it was written. */
const EXACT_DIGITS = 15;

function checkNumber(token: string): void {
  const number = Number(token);
  const significant = token
    .replace(/[eE].*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  const exact = /^-?\d+$/.test(token) ? Number.isSafeInteger(number) : significant.length <= EXACT_DIGITS;
  if (exact && Number.isFinite(number)) return;
  throw new JsonRefused('NUMBER_INEXACT', `the number ${token.slice(0, 40)} is not held exactly: write it as a string`);
}
