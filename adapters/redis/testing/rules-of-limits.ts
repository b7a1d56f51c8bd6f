// Rules of several subjects, metrics and windows, what transfers ask of them, and ledgers that have counted nothing yet.
import fc from 'fast-check';
import type { LimitRule } from '../../../domain/limits/limit-rules.ts';
import { windowFinder } from '../../../domain/limits/windows.ts';
import type {
  LedgerState,
  LedgerStore,
  LimitOperation,
  LimitRequest,
  SettledUse,
} from '../../../processors/limits/ports.ts';
import { requestedUse } from '../../../processors/limits/requests.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import type { MemoryLedger } from '../../../test/kit/memory-ledger.ts';
import { limitsLedger } from '../limits.ts';
import { verifyLimits } from '../verify-limits.ts';
import { freshNamespace, redis } from './shared-limits.ts';

export const NOTHING: LedgerState = { records: [], counters: [] };
export const START = Date.UTC(2026, 10, 23, 9);
export const MINUTE_MS = 60_000;

/** Whom each rule counts. */
export const SUBJECTS: Readonly<Record<string, 'sender' | 'beneficiary' | 'pair' | 'producer'>> = {
  ...{ 'sender-day': 'sender', 'beneficiary-24-hours': 'beneficiary', 'pair-3-hours': 'pair' },
  ...{ 'producer-life': 'producer', 'sender-beneficiaries': 'sender', 'sender-beneficiaries-day': 'sender' },
  'transfer-most': 'sender',
};

/** Five rules of different subjects, metrics and windows, and a shadow. */
export const RULES: Readonly<
  Record<
    string,
    Pick<LimitRule, 'window' | 'action' | 'limitMinor' | 'freedByReturn'> & { metric: LimitRequest['metric'] }
  >
> = {
  'sender-day': {
    ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Kolkata' }, metric: 'amount' },
    ...{ action: 'reject', limitMinor: 1_000n, freedByReturn: true },
  },
  'beneficiary-24-hours': {
    ...{ window: { kind: 'rolling', unit: 'hour', length: 24 }, metric: 'count' },
    ...{ action: 'reject', limitMinor: 12n, freedByReturn: false },
  },
  'pair-3-hours': {
    ...{ window: { kind: 'rolling', unit: 'hour', length: 3 }, metric: 'amount' },
    ...{ action: 'reject', limitMinor: 700n, freedByReturn: true },
  },
  'producer-life': {
    ...{ window: { kind: 'lifetime' }, metric: 'amount' },
    ...{ action: 'hold', limitMinor: 2_000n, freedByReturn: true },
  },
  'sender-beneficiaries': {
    ...{ window: { kind: 'rolling', unit: 'hour', length: 4 }, metric: 'beneficiaries' },
    ...{ action: 'reject', limitMinor: 2n, freedByReturn: true },
  },
  'sender-beneficiaries-day': {
    ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' }, metric: 'beneficiaries' },
    ...{ action: 'shadow', limitMinor: 1n, freedByReturn: true },
  },
  'transfer-most': {
    ...{ window: { kind: 'transfer' }, metric: 'amount' },
    ...{ action: 'reject', limitMinor: 600n, freedByReturn: true },
  },
};
const finders = new Map(Object.entries(RULES).map(([id, { window }]) => [id, windowFinder(window)]));

export interface Of {
  readonly sender: string;
  readonly beneficiary: string;
  readonly minor: bigint;
  readonly at: number;
}

export function requestsOf({ sender, beneficiary, minor, at }: Of): readonly LimitRequest[] {
  const tokens = { sender, beneficiary, pair: `${sender}.${beneficiary}`, producer: 'producer' };
  return Object.entries(RULES).map(([ruleId, rule]) => {
    const { metric, action, limitMinor, freedByReturn } = rule;
    const { id, endsAt } = finders.get(ruleId)!(at);
    return {
      ...{
        ruleId,
        metric,
        action,
        limitMinor,
        freedByReturn,
        subjectToken: tokens[SUBJECTS[ruleId]!],
        window: id,
      },
      ...{ currency: metric === 'amount' ? 'GBP' : 'XXX', minor: metric === 'amount' ? minor : 1n },
      ...{ member: metric === 'beneficiaries' ? beneficiary : null, declaredMinor: null, freesAt: endsAt },
    };
  });
}

export const usesOf = (of: Of): readonly SettledUse[] =>
  requestsOf(of).map((request) => ({ ...requestedUse(request, 0n), freedByReturn: request.freedByReturn }));

/** Within ten hours, in any order: many come late, and some so late that their window is read step by step. */
export const of: fc.Arbitrary<Of> = fc.record({
  sender: fc.constantFrom('s-1', 's-2'),
  beneficiary: fc.constantFrom('b-1', 'b-2', 'b-3'),
  minor: fc.bigInt({ min: 1n, max: 650n }),
  at: fc.integer({ min: 0, max: 600 }).map((minutes) => START + minutes * MINUTE_MS),
});
const TRANSFERS = ['t-1', 't-2', 't-3', 't-4', 't-5', 't-6', 't-7', 't-8'];
const KINDS = ['reserve', 'reserve', 'reserve', 'reserve', 'open', 'released', 'committed', 'returned'] as const;

const operation: fc.Arbitrary<LimitOperation> = fc
  .record({
    transferId: fc.constantFrom(...TRANSFERS),
    attempt: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom(...KINDS),
    of,
  })
  .map(({ transferId, attempt, kind, of: what }) =>
    kind === 'reserve'
      ? { kind, transferId, attempt, requests: requestsOf(what) }
      : { kind: 'settle', transferId, attempt, state: kind, uses: usesOf(what) },
  );
/** Nearly in the order of time, as a log is. */
export const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 8 }), { maxLength: 14 });

export async function freshLedger() {
  const namespace = freshNamespace();
  const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace });
  await ledger.replaceAll(NOTHING, null);
  return { ledger, namespace };
}

/** Empties a ledger: cheaper than another one, of which the keys would stay until the end. */
export async function emptied(ledger: LedgerStore): Promise<void> {
  const { marker } = await ledger.status();
  await ledger.replaceAll(NOTHING, marker);
}

export async function countersIn(namespace: string): Promise<Record<string, { used: bigint; open: number }>> {
  const found: Record<string, { used: bigint; open: number }> = {};
  for await (const page of verifyLimits(redis, namespace).counters()) {
    for (const { bucket, usedMinor, open } of page) found[bucket] = { used: usedMinor!, open };
  }
  return found;
}

/** What a model holds, as a rebuild hands it in; without refusals, which a log does not tell. */
export function stateOf(model: MemoryLedger): LedgerState {
  return {
    records: [],
    counters: [...model.counters].map(([bucket, { used, open }]) => {
      const [ruleId, subjectToken, window] = bucket.split(':') as [string, string, string];
      const members = model.members.get(bucket);
      const counter = { ruleId, subjectToken, window, usedMinor: used, open };
      return members === undefined ? counter : { ...counter, members };
    }),
  };
}
