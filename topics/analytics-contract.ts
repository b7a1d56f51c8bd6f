// What analysts may rely on, beside the schemas: docs/analytics.md. The fields say the rest themselves (`privacy`, `since`,
// `present`, `unit` in schemas/avro).
import type { TransferState } from '../domain/transfers/transfer-states.ts';

/** Version of the analytics contract. It rises when a field comes; no field ever changes its meaning. */
export const CONTRACT_VERSION = 5;

/** From what happened to its record in every grain, at most, s: while processes run and nothing that they need is away. */
export const FRESH_WITHIN_S = 60;

/**
 * Who a field is about. `none`: nobody. `pseudonymous`: a person, for whoever has the key of tokens or the records of a
 * producer. `personal`: a person, as it stands; no record for analysts has such a field.
 */
export const PRIVACY_CLASSES = ['none', 'pseudonymous', 'personal'] as const;
export type PrivacyClass = (typeof PRIVACY_CLASSES)[number];

export type State = TransferState | 'DEAD_LETTERED';

/** In which states a field is there: in `in` always, in `notIn` never, in others it may be. Only of records of its version on. */
export interface Presence {
  readonly doc: string;
  readonly in: readonly State[];
  readonly notIn: readonly State[];
}

const ALL: readonly State[] = [
  ...(['ACCEPTED', 'SCREENED', 'HELD', 'PRICED', 'RESERVED', 'DISPATCHED', 'REQUOTING'] as const),
  ...(['COMPLETED', 'REJECTED', 'RETURNED', 'DEAD_LETTERED'] as const),
];
const except = (...states: readonly State[]): readonly State[] => ALL.filter((state) => !states.includes(state));
const PRICED: readonly State[] = ['PRICED', 'RESERVED', 'DISPATCHED', 'REQUOTING', 'COMPLETED', 'RETURNED'];

/** By the `present` of a field. */
export const PRESENCE: Readonly<Record<string, Presence>> = {
  always: { doc: 'in every record', in: ALL, notIn: [] },
  screened: {
    doc: 'once it was screened',
    in: ['SCREENED', ...PRICED],
    notIn: ['ACCEPTED'],
  },
  priced: { doc: 'once it has a price', in: PRICED, notIn: ['ACCEPTED', 'SCREENED'] },
  settled: {
    doc: 'once the provider has told an outcome',
    in: ['COMPLETED', 'RETURNED'],
    notIn: except('COMPLETED', 'RETURNED', 'REJECTED'),
  },
  held: { doc: 'of a hold alone', in: ['HELD'], notIn: except('HELD') },
  ended: {
    doc: 'of an end alone',
    in: ['COMPLETED', 'REJECTED', 'RETURNED'],
    notIn: except('COMPLETED', 'REJECTED', 'RETURNED'),
  },
  returned: { doc: 'of a return alone', in: ['RETURNED'], notIn: except('RETURNED') },
  'not first': { doc: 'but in the first record of a transfer', in: except('ACCEPTED'), notIn: ['ACCEPTED'] },
  'where known': { doc: 'where it is known, or was given', in: [], notIn: [] },
};

/** A topic for analysts: one row is one of what `grain` says. */
export interface Grain {
  readonly topic: string;
  readonly record: string;
  readonly grain: string;
  /** What no two rows share. */
  readonly unique: string;
  /** How it is read, for its data contract. */
  readonly usage: string;
  /** Its records follow from another grain, record by record: an export leaves it out. */
  readonly isDerived?: true;
  /** A record may be there again, with another end: the last of a key is the row. */
  readonly lastCounts?: true;
}

const USAGE = 'Read committed records only.';

export const GRAINS: readonly Grain[] = [
  {
    topic: 'transfer.lifecycle',
    record: 'TransferLifecycle',
    grain: 'a transition of a transfer, or a mark on it',
    unique: 'eventId',
    usage: `${USAGE} One row is one event; the latest row of a transfer is the one with the highest sequence, and of two the mark.`,
  },
  {
    topic: 'transfer.state',
    record: 'TransferLifecycle',
    grain: 'a transfer, as its latest row of transfer.lifecycle has it',
    unique: 'transferId',
    usage: `${USAGE} The last record of a key is the transfer as it stands; earlier ones may still be there.`,
    isDerived: true,
  },
  {
    topic: 'transfer.money',
    record: 'TransferMoney',
    grain: 'a movement of money on one account',
    unique: 'movementId',
    usage: `${USAGE} The movements of a transfer sum to zero in each currency.`,
  },
  {
    topic: 'intent.rejected',
    record: 'IntentRejected',
    grain: 'an intent that never became a transfer',
    unique: 'eventId',
    usage: `${USAGE} One row is one intent.`,
  },
  {
    topic: 'intent.duplicated',
    record: 'IntentDuplicated',
    grain: 'an intent that repeats an earlier one',
    unique: 'eventId',
    usage: `${USAGE} One row is one intent.`,
  },
  {
    topic: 'fx.position',
    record: 'FxPosition',
    grain: 'a price that opens a position, or is taken back',
    unique: 'eventId',
    usage: `${USAGE} One row is one change of a position.`,
  },
  {
    topic: 'fx.rate-history',
    record: 'FxRateRecord',
    grain: 'a market rate as its feed published it',
    unique: 'rateId',
    usage: `${USAGE} Count a rate once by rateId. A day is closed by the middle one of the last rates of its sources.`,
  },
  {
    topic: 'reference.versions',
    record: 'ReferenceVersion',
    grain: 'a version of a corridor, a row of terms, a limit rule, a list or a provider',
    unique: 'versionId',
    usage: `${USAGE} The last record of a key is the version; an earlier one has no end yet.`,
    lastCounts: true,
  },
];

/** Topics for analysts that have no rows, but say something of them. */
export const BESIDE_GRAINS = [{ topic: 'analytics.watermark', record: 'AnalyticsWatermark' }] as const;
