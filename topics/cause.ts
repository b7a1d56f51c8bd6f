// The cause of a record: which input record, of which consumer, it was made from. It is sealed with the record, and rises
// within every output partition for one consumer and input partition, since a partition is handled in order and committed
// with its outputs by one owner. A record whose cause is not above what was handled before is a repeat (progress-notes.ts).
import { hash } from 'node:crypto';

export interface Cause {
  /** Consumer and topic in one short text: 72 bits of a digest, of the topic's id and not its name. */
  readonly source: string;
  readonly partition: number;
  readonly offset: number;
  /** Counts the outputs of one input on one topic, from 0. */
  readonly nth: number;
}

const SOURCE_BYTES = 9;
/** Most digits of partition, offset and nth; characters of a source. */
const DIGITS = { partition: 6, offset: 16, nth: 4 } as const;
const SOURCE_CHARACTERS = 12;
const sources = new Map<string, string>();

/** The source of what a consumer makes from the records of a topic, by the topic's id (its name where it has none). */
export function sourceOf(owner: string, topicId: string): string {
  const name = `${owner}\n${topicId}`;
  const known = sources.get(name);
  if (known !== undefined) return known;
  const source = hash('sha256', `corridor-cause-1\n${name}`, 'buffer').toString('base64url', 0, SOURCE_BYTES);
  sources.set(name, source);
  return source;
}

export const formatCause = ({ source, partition, offset, nth }: Cause): string =>
  nth === 0 ? `${source}:${partition}:${offset}` : `${source}:${partition}:${offset}.${nth}`;

/**
 * Undefined for anything but a cause: twelve characters of base64url, and `:partition:offset` with `.nth` behind it where
 * that is there. By hand, since every record of the chain is asked twice, and a regular expression makes five texts each time.
 */
export function parseCause(text: string): Cause | undefined {
  for (let at = 0; at < SOURCE_CHARACTERS; at++) if (!isBase64Url(text.charCodeAt(at))) return undefined;
  const partitionEnd = endOfDigits(text, SOURCE_CHARACTERS, COLON, DIGITS.partition);
  const offsetEnd = endOfDigits(text, partitionEnd, COLON, DIGITS.offset);
  if (offsetEnd < 0) return undefined;
  const nthEnd = offsetEnd === text.length ? offsetEnd : endOfDigits(text, offsetEnd, DOT, DIGITS.nth);
  if (nthEnd !== text.length) return undefined;
  return {
    source: text.slice(0, SOURCE_CHARACTERS),
    partition: Number(text.slice(SOURCE_CHARACTERS + 1, partitionEnd)),
    offset: Number(text.slice(partitionEnd + 1, offsetEnd)),
    nth: nthEnd === offsetEnd ? 0 : Number(text.slice(offsetEnd + 1)),
  };
}

const COLON = 58;
const DOT = 46;
const isDigit = (code: number) => code >= 48 && code <= 57;
const isBase64Url = (code: number) =>
  isDigit(code) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 45 || code === 95;

/** Where the digits end that follow a mark at `from`, one to `most` of them; -1 where that does not stand there. */
function endOfDigits(text: string, from: number, mark: number, most: number): number {
  if (from < 0 || text.charCodeAt(from) !== mark) return -1;
  let at = from + 1;
  while (at - from <= most && isDigit(text.charCodeAt(at))) at++;
  return at === from + 1 ? -1 : at;
}
