// A lifecycle record as one text, whether it comes from the topic, from a chain event or from a document.
import type { TransferLifecycle } from '../schemas/types.generated.ts';
import { digest } from './digest.ts';

/**
 * `since 1`: of the first version of the contract. `since 2` to `since 5`: of the later ones; absent in records of before.
 * `before`: what the event alone does not tell, since it is of the event before.
 */
type Group = 'since 1' | 'since 2' | 'since 3' | 'since 4' | 'since 5' | 'before';

// Every field, checked by the compiler: a field that the schema gains must be compared too.
const FIELDS: Readonly<Record<keyof TransferLifecycle, Group>> = {
  eventId: 'since 1',
  transferId: 'since 1',
  sequence: 'since 1',
  attempt: 'since 1',
  state: 'since 1',
  stage: 'since 1',
  occurredAt: 'since 1',
  requestedAt: 'since 1',
  sourceCountry: 'since 1',
  targetCountry: 'since 1',
  sourceCurrency: 'since 1',
  targetCurrency: 'since 1',
  debtorToken: 'since 1',
  creditorToken: 'since 1',
  purposeCode: 'since 1',
  chargeBearer: 'since 1',
  debitMinor: 'since 1',
  creditMinor: 'since 1',
  feesMinor: 'since 1',
  midRate: 'since 1',
  customerRate: 'since 1',
  marginBps: 'since 1',
  rateSnapshotId: 'since 1',
  screeningOutcome: 'since 1',
  provider: 'since 1',
  reasonCodes: 'since 1',
  producerId: 'since 1',
  nationalPurpose: 'since 1',
  fundingMethod: 'since 1',
  payeeVerification: 'since 1',
  arrangement: 'since 1',
  kycTier: 'since 1',
  transferRules: 'since 1',
  eventKind: 'since 2',
  contractVersion: 'since 2',
  corridorId: 'since 2',
  instructedMinor: 'since 2',
  instructedCurrency: 'since 2',
  amountSide: 'since 2',
  sourceExponent: 'since 2',
  targetExponent: 'since 2',
  principalMinor: 'since 2',
  marginMinor: 'since 2',
  residual: 'since 2',
  fees: 'since 2',
  taxes: 'since 2',
  engineVersion: 'since 2',
  screeningConfiguration: 'since 2',
  screeningLists: 'since 2',
  limitRuleIds: 'since 2',
  holdId: 'since 2',
  payoutAttemptKey: 'since 2',
  ended: 'since 2',
  endedAt: 'since 2',
  returnedMinor: 'since 2',
  termsVersion: 'since 3',
  termIds: 'since 3',
  market: 'since 3',
  chargedTaxesMinor: 'since 3',
  chargedTaxes: 'since 3',
  valueDate: 'since 3',
  availableAt: 'since 3',
  cancelUntil: 'since 3',
  priceLegs: 'since 4',
  pivotCurrency: 'since 4',
  limitRulesVersion: 'since 4',
  tokenKeyId: 'since 5',
  previousState: 'before',
  previousOccurredAt: 'before',
  heldMs: 'before',
  replayId: 'before',
};
const NAMES = Object.keys(FIELDS) as readonly (keyof TransferLifecycle)[];
const namesOf = (group: Group) => NAMES.filter((name) => FIELDS[name] === group);
const [FIRST, SECOND, THIRD] = [namesOf('since 1'), namesOf('since 2'), namesOf('since 3')];
const [FOURTH, FIFTH, BEFORE] = [namesOf('since 4'), namesOf('since 5'), namesOf('before')];
/** Counted where they are given, and last: digests in checkpoints of before are what they were. */
const LATER: ReadonlySet<keyof TransferLifecycle> = new Set<keyof TransferLifecycle>([
  'producerId',
  ...(['nationalPurpose', 'fundingMethod', 'payeeVerification', 'arrangement', 'kycTier', 'transferRules'] as const),
]);
const SEPARATOR = '\u001f';

export const LIFECYCLE_FIELDS = NAMES.length;

/** Digest of all fields. Longs and numbers of the same value are the same. */
export function lifecycleDigest(record: TransferLifecycle): number {
  return digest(firstText(record) + laterText(record) + addedText(record, BEFORE));
}

/** What verification compares of a record with its event, group by group. */
export interface LifecycleDigests {
  readonly first: number;
  /** Of the fields of the later versions; 0: the record is of before, and has none of them. */
  readonly second: number;
  /** The same, had it been made by version 2; 0: that version could not have made it. */
  readonly secondOfTwo: number;
  /** The same, had it been made by version 3. */
  readonly secondOfThree: number;
  /** The same, had it been made by version 4. */
  readonly secondOfFour: number;
}

export function lifecycleDigests(record: TransferLifecycle): LifecycleDigests {
  const secondOfTwo = record.termsVersion === null ? digest(addedText({ ...record, contractVersion: 2 }, SECOND)) : 0;
  const ofThree = { ...record, contractVersion: 3 };
  const secondOfThree = digest(addedText(ofThree, SECOND) + addedText(ofThree, THIRD));
  const ofFour = { ...record, contractVersion: 4 };
  const secondOfFour = digest([SECOND, THIRD, FOURTH].map((names) => addedText(ofFour, names)).join(''));
  const earlier = { secondOfTwo, secondOfThree, secondOfFour };
  return { first: digest(firstText(record)), second: secondDigest(record), ...earlier };
}

export function secondDigest(record: TransferLifecycle): number {
  return isOfBefore(record) ? 0 : digest(laterText(record));
}

/** Of what the record says of the state before; 0: it is of before that was said. */
export function beforeDigest(
  record: Pick<TransferLifecycle, 'contractVersion' | 'previousState' | 'previousOccurredAt' | 'heldMs'>,
): number {
  const { contractVersion, previousState, previousOccurredAt, heldMs } = record;
  if (contractVersion === null && previousState === null && previousOccurredAt === null && heldMs === null) return 0;
  return digest([previousState, previousOccurredAt, heldMs].map(String).join(SEPARATOR));
}

/** A record of version 1 has none of the fields that came later: whoever takes its version away hides nothing in them. */
const isOfBefore = (record: TransferLifecycle): boolean =>
  record.contractVersion === null && record.replayId === null && laterText(record) === '';

const laterText = (record: TransferLifecycle): string =>
  [SECOND, THIRD, FOURTH, FIFTH].map((names) => addedText(record, names)).join('');

function firstText(record: TransferLifecycle): string {
  let text = '';
  for (const name of FIRST) {
    const value = record[name] as unknown;
    if (value === null && LATER.has(name)) continue;
    text += textOf(value);
    text += LATER.has(name) && name !== 'producerId' ? `${SEPARATOR}${name}${SEPARATOR}` : SEPARATOR;
  }
  return text;
}

/** Only what is there: a record of before has the text that it had. */
function addedText(record: TransferLifecycle, names: readonly (keyof TransferLifecycle)[]): string {
  let text = '';
  for (const name of names) {
    const value = record[name] as unknown;
    if (value === null || (Array.isArray(value) && value.length === 0)) continue;
    text += `${name}${SEPARATOR}${textOf(value)}${SEPARATOR}`;
  }
  return text;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',');
  if (value !== null && typeof value === 'object') return Object.values(value).map(textOf).join('/');
  return String(value as string | number | bigint | boolean | null);
}
