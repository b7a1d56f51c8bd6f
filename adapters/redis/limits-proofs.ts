// Proofs in the limits ledger: what it answers of a transfer that it knows ends an attempt or lets it pass, so it is believed only
// with a seal of a stage over the transfer, the attempt and what the rules stated. Counters have none: whoever writes Redis can
// change them, and the audit and verify hold them against the log.
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';

/** What a record says of an attempt: the answers to a reserve, and the states in which a transfer has ended. */
export type ProvenKind = 'reserved' | 'refused' | 'released' | 'committed' | 'returned';

/** What a proof is of. */
export interface Proven {
  readonly kind: ProvenKind;
  readonly transferId: string;
  readonly attempt: number;
  /** What the rules stated, as JSON; empty of an end. */
  readonly stated: string;
  /** Name and version of the rules; empty: it is not known. */
  readonly rules: string;
}

export interface RecordProofs {
  of(proven: Proven): string;
  holds(proven: Proven, proof: unknown): boolean;
}

/** @param ring of the stages */
export const recordProofs = (ring: KeyRing): RecordProofs => ({
  of: (proven) => sealOf(ring, 'limits-record', partsOf(proven)),
  holds: (proven, proof) => typeof proof === 'string' && isSealed(ring, 'limits-record', partsOf(proven), proof),
});

const partsOf = ({ kind, transferId, attempt, stated, rules }: Proven): readonly string[] => [
  ...[kind, transferId, String(attempt), stated, rules],
];
