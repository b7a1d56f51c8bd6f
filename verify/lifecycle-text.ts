// A lifecycle record as one text, whether it comes from the topic, from a chain event or from a document.
import type { TransferLifecycle } from '../schemas/types.generated.ts';
import { digest } from './digest.ts';

// Every field, checked by the compiler: a field that the schema gains must be compared too.
const FIELDS: Readonly<Record<keyof TransferLifecycle, true>> = {
  eventId: true,
  transferId: true,
  sequence: true,
  attempt: true,
  state: true,
  stage: true,
  occurredAt: true,
  requestedAt: true,
  sourceCountry: true,
  targetCountry: true,
  sourceCurrency: true,
  targetCurrency: true,
  debtorToken: true,
  creditorToken: true,
  purposeCode: true,
  chargeBearer: true,
  debitMinor: true,
  creditMinor: true,
  feesMinor: true,
  midRate: true,
  customerRate: true,
  marginBps: true,
  rateSnapshotId: true,
  screeningOutcome: true,
  provider: true,
  reasonCodes: true,
  producerId: true,
  nationalPurpose: true,
  fundingMethod: true,
  payeeVerification: true,
  arrangement: true,
  kycTier: true,
  transferRules: true,
};
const NAMES = Object.keys(FIELDS) as readonly (keyof TransferLifecycle)[];
/** Counted where they are given, and last: digests in checkpoints of before are what they were. */
const LATER: ReadonlySet<keyof TransferLifecycle> = new Set<keyof TransferLifecycle>([
  'producerId',
  ...(['nationalPurpose', 'fundingMethod', 'payeeVerification', 'arrangement', 'kycTier', 'transferRules'] as const),
]);
const SEPARATOR = '\u001f';

export const LIFECYCLE_FIELDS = NAMES.length;

/** Digest of all fields. Longs and numbers of the same value are the same. */
export function lifecycleDigest(record: TransferLifecycle): number {
  let text = '';
  for (const name of NAMES) {
    const value = record[name] as unknown;
    if (value === null && LATER.has(name)) continue;
    text += Array.isArray(value) ? value.join(',') : String(value as string | number | bigint | null);
    text += LATER.has(name) && name !== 'producerId' ? `${SEPARATOR}${name}${SEPARATOR}` : SEPARATOR;
  }
  return digest(text);
}
