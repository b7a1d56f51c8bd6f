// Who acts: the system's own identities, which no person can claim, and the names of persons.
import { DomainError } from '../fault.ts';
import { isLongerThan, isPlainText } from '../text/text.ts';

/** Ends holds that nobody decided in time. */
export const HOLD_EXPIRY = 'hold-expiry';

/** Identities under which the product itself acts. Frozen: they stand in the log. */
export const SYSTEM_IDENTITIES: readonly string[] = [
  HOLD_EXPIRY,
  'payout-executor',
  'settlement',
  'rescreening',
  'case-relay',
  'audit-sequencer',
  'system',
  'corridor',
];

const MAX_NAME_CHARACTERS = 64;
const MAX_TEXT = 2_000;

/** Lower-case letters of other scripts that look like a Latin one in either case, and Latin ones that do not decompose. */
const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{
      а: 'a',
      в: 'b',
      е: 'e',
      ѕ: 's',
      і: 'i',
      ј: 'j',
      к: 'k',
      м: 'm',
      н: 'h',
      о: 'o',
      р: 'p',
      с: 'c',
      т: 't',
      у: 'y',
    },
    ...{ х: 'x', ԁ: 'd', ԛ: 'q', ԝ: 'w', һ: 'h', ӏ: 'l', ѵ: 'v' },
    ...{
      α: 'a',
      β: 'b',
      ε: 'e',
      ζ: 'z',
      η: 'n',
      ι: 'i',
      κ: 'k',
      μ: 'm',
      ν: 'v',
      ο: 'o',
      ρ: 'p',
      τ: 't',
      υ: 'u',
      χ: 'x',
    },
    ...{ ı: 'i', ł: 'l', ø: 'o', đ: 'd', ɑ: 'a', ɡ: 'g' },
  }),
);

/** What names that look alike have in common: letters and digits alone, without case, accents, blanks and other scripts. */
export const nameSkeleton = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replace(/\p{L}/gu, (letter) => LOOKALIKES.get(letter) ?? letter);

const RESERVED = new Set(SYSTEM_IDENTITIES.map(nameSkeleton));

/** Whether a name is one of the system's, however it is typed. */
export const isSystemIdentity = (name: string): boolean => RESERVED.has(nameSkeleton(name));

/**
 * The name of a person who acts.
 *
 * @returns it, without blanks around it
 * @throws DomainError PERSON_INVALID when it is empty, too long, unprintable or a name of the system
 */
export function personName(text: string): string {
  const name = text.trim();
  if (name === '' || isLongerThan(name, MAX_NAME_CHARACTERS) || !isPlainText(name)) {
    throw new DomainError(
      'PERSON_INVALID',
      `a name of 1 to ${MAX_NAME_CHARACTERS} printable characters must say who acts`,
    );
  }
  if (isSystemIdentity(name)) {
    throw new DomainError('PERSON_INVALID', `"${name}" is a name of the system: say which person acts`);
  }
  return name;
}

/**
 * The reason that a person gives.
 *
 * @returns it, without blanks around it
 * @throws DomainError JUSTIFICATION_INVALID when it is empty, too long or unprintable
 */
export function justificationText(text: string): string {
  const reason = text.trim();
  if (reason === '' || isLongerThan(reason, MAX_TEXT) || !isPlainText(reason)) {
    throw new DomainError('JUSTIFICATION_INVALID', `a reason of 1 to ${MAX_TEXT} printable characters must be given`);
  }
  return reason;
}
