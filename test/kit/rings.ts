// Keys for tests, one ring for each issuer.
import { type KeyRing, keyRing } from '../../domain/seals/seal.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { type Rings, sealed, sealedRecovery } from '../../ports/seals.ts';
import { contractOf } from '../../topics/catalogue.ts';
import { ISSUERS, type Issuer } from '../../topics/contract.ts';
import { HEADER } from '../../topics/headers.ts';

const ringOf = (id: string) => keyRing(`${id}:a-key-for-tests-only-of-${id}-0000000000`);

export const testRings = Object.fromEntries(ISSUERS.map((issuer) => [issuer, ringOf(issuer)])) as {
  readonly [I in Issuer]: KeyRing;
};

/** The record as its issuer would have written it: a retry or replay sealed as such, all others by their contract. */
export function asIssued(record: OutputRecord, rings: Rings = testRings): OutputRecord {
  if (record.headers[HEADER.seal] !== undefined && contractOf(record.topic)) return record;
  if (contractOf(record.topic)) return sealed(rings, record);
  return sealedRecovery(rings, record);
}
