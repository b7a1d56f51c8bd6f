// Dead letters of one cause form a group. The cause is what went wrong with everything taken out that differs from record to
// record, so that people can read it, and two letters are in one group exactly when they show the same owner, code and cause.
import { hash } from 'node:crypto';
import { safeText } from '../../domain/text/text.ts';

const MAX_CAUSE = 300;
/** What stands for a value in a cause. */
const VALUE = '#';

/** Longest and most particular first: each takes its kind of value whole. */
const VALUES: readonly RegExp[] = [
  /"[^"]*"|'[^']*'|`[^`]*`/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  // Ids, references, hashes, account numbers: letters and digits mixed.
  /(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{6,}(?![\w-])/gi,
  /[-+]?\d+(?:[.,:]\d+)*/g,
];

/** The sentence of a dead letter without the values in it: numbers, ids, quotations. At most 300 characters. Pure. */
export function normalisedCause(detail: string): string {
  let cause = safeText(detail.replace(/\s+/g, ' ').trim(), MAX_CAUSE);
  for (const pattern of VALUES) cause = cause.replace(pattern, VALUE);
  return cause;
}

/** The topmost stack frame that is ours, without its line: where the code broke. Undefined when the stack names none. */
export function frameOf(stack: string): string | undefined {
  for (const line of stack.split('\n')) {
    const found = /^\s*at (?<place>.+)$/.exec(line)?.groups?.['place'];
    if (found === undefined || found.includes('node:') || found.includes('node_modules')) continue;
    // Without line and column, which every build changes, and without the folders above the product's own.
    const [, name = '', path = found] = /^(.*) \((.*)$/.exec(found) ?? [];
    const file = path
      .replace(/(:\d+)+\)?$/, '')
      .split('/')
      .slice(-3)
      .join('/');
    return safeText(`${name} ${file}`.trim(), MAX_CAUSE);
  }
  return undefined;
}

export interface Grouped {
  readonly owner: string;
  readonly code: string;
  readonly cause: string;
}

/** The id of a group, as it stands in URLs: 16 hexadecimal digits. */
export const groupIdOf = ({ owner, code, cause }: Grouped): string =>
  hash('sha256', `${owner}\n${code}\n${cause}`, 'hex').slice(0, 16);
