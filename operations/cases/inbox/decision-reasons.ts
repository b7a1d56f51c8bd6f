// Why a person decided as they did: a code of a closed list, and a text. Kept as one justification, `CODE: text`, which is
// sealed and goes to the log as it stands. Pure.
import { justificationText } from '../../../domain/people/identities.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { Verdict } from './verdict.ts';

/** Codes and what they say. Only ever added to: they stand in the log. */
export const DECISION_REASONS = {
  OTHER_NAME: 'the names are of different persons',
  OTHER_BIRTH_DATE: 'another date of birth',
  OTHER_COUNTRY: 'another country',
  OTHER_IDENTIFIER: 'another document or registration number',
  OTHER_KIND: 'a person, an organisation or a thing of another kind',
  LIMIT_EXPLAINED: 'where the money comes from and what it is for are shown',
  TRUE_MATCH: 'it is the listed one',
  CANNOT_TELL: 'nobody can tell, and no more can be found out',
  LIMIT_NOT_EXPLAINED: 'where the money comes from or what it is for is not shown',
  WITHDRAWN: 'the customer no longer wants it',
  NOTHING_LOST: 'looked at with the provider: money moved once, or never',
  RECOVERED: 'the provider took back what it paid too much',
  SETTLED_OUTSIDE: 'settled in another way, as the text says',
  WRITTEN_OFF: 'paid too much, and not coming back',
  PROVIDER_STATED: 'the provider has stated it in writing',
} as const;

export type DecisionReason = keyof typeof DECISION_REASONS;

const OTHER = ['OTHER_NAME', 'OTHER_BIRTH_DATE', 'OTHER_COUNTRY', 'OTHER_IDENTIFIER', 'OTHER_KIND'] as const;

/** Codes that a verdict may have. */
export const REASONS_OF: Readonly<Record<Verdict, readonly DecisionReason[]>> = {
  APPROVE: [...OTHER, 'LIMIT_EXPLAINED'],
  REJECT: ['TRUE_MATCH', 'CANNOT_TELL', 'LIMIT_NOT_EXPLAINED', 'WITHDRAWN'],
  CLEAR: OTHER,
  CONFIRM: ['TRUE_MATCH', 'CANNOT_TELL'],
  CLOSE: ['NOTHING_LOST', 'RECOVERED', 'SETTLED_OUTSIDE', 'WRITTEN_OFF'],
  PAID: ['PROVIDER_STATED'],
  UNPAID: ['PROVIDER_STATED'],
};

/**
 * The justification of a verdict.
 * @throws CodedError DECISION_REASON_UNFIT
 * @throws DomainError JUSTIFICATION_INVALID
 */
export function justificationOf(verdict: Verdict, code: string, text: string): string {
  const known = REASONS_OF[verdict].find((each) => each === code);
  if (known) return justificationText(`${known}: ${justificationText(text)}`);
  const may = REASONS_OF[verdict].join(', ');
  throw new CodedError('DECISION_REASON_UNFIT', `the reason to ${verdict.toLowerCase()} must be one of: ${may}`);
}

/** A justification as two fields. Of a time without codes, or of nobody of ours: the text alone. */
export function codeAndText(justification: string): { readonly code: DecisionReason | null; readonly text: string } {
  const code = reasonIn(justification);
  return code === undefined
    ? { code: null, text: justification }
    : { code, text: justification.slice(code.length + 2) };
}

/** The code of a justification; undefined: it is of a time without codes, or nobody's of ours. */
export function reasonIn(justification: string): DecisionReason | undefined {
  const [code] = /^[A-Z_]{1,40}(?=: )/.exec(justification) ?? [];
  return code !== undefined && Object.hasOwn(DECISION_REASONS, code) ? (code as DecisionReason) : undefined;
}
