// Whether a case in the database is what the sink wrote: what a person sees and decides on must be what is held. Pure.
import { HOLD_EXPIRY } from '../../domain/people/identities.ts';
import { secondPersonOf } from '../../domain/people/two-persons.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { contentHashOf } from '../../processors/hold-content.ts';
import { isDecisionSealed } from '../../processors/holds.ts';
import { recordType } from '../../schemas/avro-types.ts';
import type { TransferHeld } from '../../schemas/types.generated.ts';
import type { CaseDocument } from './case.ts';
import { openCase } from './to-write.ts';

/** Fields that a decision changes. */
const DECIDED = new Set(['state', 'decision', 'commandPending']);

/** The fields of a stored case that are not as the sink wrote them; none when it is whole. Never throws. */
export function alteredIn(found: CaseDocument): readonly string[] {
  try {
    const held = heldIn(found);
    if (contentHashOf(held) !== held.hold.evidenceHash) return ['held'];
    const written = openCase(held);
    const names = Object.keys(written).filter((name) => !DECIDED.has(name)) as (keyof CaseDocument)[];
    return names.filter((name) => name !== 'held' && plain(written[name]) !== plain(found[name]));
  } catch {
    return ['held'];
  }
}

/**
 * The held event of a case as the schema knows it: what else stands in the document is no part of what is held.
 * Throws when it is not one.
 */
export function heldIn({ held }: CaseDocument): TransferHeld {
  const type = recordType('TransferHeld');
  return type.fromBuffer(type.toBuffer(held)) as TransferHeld;
}

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? '';

/** Whether the decision in a case was sealed by a program for operators, as it stands. Never throws. */
export function isSealedIn(
  { _id: holdId, evidenceHash, decision: decided }: CaseDocument,
  operators: KeyRing,
): boolean {
  if (decided === null) return false;
  const { decision, decidedBy, justification, seal } = decided;
  const decidedAt = new Date(decided.decidedAt).getTime();
  try {
    const bound = { holdId, evidenceHash, decision, decidedBy, decidedAt, justification, ...secondPersonOf(decided) };
    return isDecisionSealed(operators, bound, seal);
  } catch {
    // Something other than text.
    return false;
  }
}

/** Whether what a case says of its end is proven: nothing yet, the lapse of its hold, or a decision that was sealed. */
export const isProven = (found: CaseDocument, operators: KeyRing): boolean => {
  const { state, decision } = found;
  if (decision === null) return state === 'OPEN';
  if (decision.decidedBy === HOLD_EXPIRY) return state === 'EXPIRED' && decision.decision === 'REJECT';
  return state === 'DECIDED' && isSealedIn(found, operators);
};
