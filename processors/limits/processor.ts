// Wires limits: one step of the ledger for a batch, claims on holds for decisions.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { checkLimitRules, type LimitRuleSet } from '../../domain/limits/limit-rules.ts';
import { askSome } from '../../ports/ask-some.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { Cause, Processor } from '../contract.ts';
import { discardableOf } from '../discard.ts';
import {
  DEFAULT_HOLD_TTL_MS,
  type HoldClaims,
  type HoldFailpoint,
  type Holding,
  type ReviewTrust,
  verdictsIn,
} from '../holds.ts';
import type { Policy } from '../policies.ts';
import { type Topology, topology } from '../topology.ts';
import { decide, type LimitsContext } from './decide.ts';
import {
  type LimitLedger,
  type LimitOperation,
  type LimitResult,
  type LimitsFailpoint,
  MAX_COUNTED_MINOR,
} from './ports.ts';
import { operationOf, type RuleBook, ruleBook } from './requests.ts';

export interface LimitsOptions {
  readonly ledger: LimitLedger;
  readonly holds: HoldClaims;
  readonly keys: ReviewTrust;
  /** The sets of rules, by version: see bookOf. */
  readonly rules: Policy<RuleBook>;
  /** ms since 1970 */
  readonly clock: () => number;
  /** How long a hold waits for a decision before it lapses, in ms. */
  readonly holdTtlMs?: number;
  /** Called with each decision that was dropped. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint<HoldFailpoint | LimitsFailpoint>;
}

/**
 * transfer.priced -> transfer.reserved | transfer.held | transfer.rejected; review.decided resumes;
 * transfer.rejected, transfer.completed and transfer.returned settle the reservation.
 */
export function createLimits(options: LimitsOptions): Processor<Topology['limits'], LimitsContext> {
  const { ledger, holds, keys, rules, clock, holdTtlMs = DEFAULT_HOLD_TTL_MS, onDropped, failpoint } = options;
  const holding = { ttlMs: holdTtlMs, stages: keys.stages };
  return {
    name: 'limits',
    edges: topology.limits,
    async prepare(batch) {
      const now = clock();
      // Once, with the operations: a version that comes while the ledger is asked decides nothing of this batch.
      const books = batch.map(({ topic, appendedAt }) =>
        topic === 'transfer.priced' ? rules.at(appendedAt).content : undefined,
      );
      const operations = batch.map((input) => countable(operationOf(input, rules)));
      const results = await askSome<LimitOperation, LimitResult>(operations, (asked) => ledger.apply(asked));
      await failpoint?.('limits.after-ledger');
      const verdicts = await verdictsIn(batch, {
        ...{ holds, keys, now, onDropped, stage: 'LIMITS' },
        afterClaim: () => failpoint?.('limits.after-hold-claim'),
      });
      return batch.map((_input, i): LimitsContext => {
        const verdict = verdicts[i];
        return verdict ? { kind: 'reviewed', verdict } : contextOf(results[i], { now, holding, book: books[i] });
      });
    },
    decide,
    discardable: (batch) =>
      discardableOf(batch, 'transfer.priced', {
        ...{ holds, keys, now: clock(), onDropped, stage: 'LIMITS' },
        afterClaim: () => failpoint?.('limits.after-hold-claim'),
      }),
  };
}

function contextOf(
  result: LimitResult | undefined,
  { now, holding, book }: { readonly now: number; readonly holding: Holding; readonly book: RuleBook | undefined },
): LimitsContext {
  if (book === undefined) return { kind: 'noted' };
  const common = { kind: 'claimed', now, holding, book } as const;
  if (result === undefined) return { ...common, outcome: { kind: 'not-countable' } };
  if (result.kind === 'settled') throw new Error('the ledger settled what was to be reserved');
  return { ...common, outcome: result };
}

/** Undefined when there is nothing to do, or an amount that cannot be counted. */
const countable = (operation: LimitOperation | undefined): LimitOperation | undefined =>
  operation && isCountable(operation) ? operation : undefined;

const isCountable = (operation: LimitOperation): boolean =>
  operation.kind === 'settle' || operation.requests.every(({ minor }) => minor >= 0n && minor < MAX_COUNTED_MINOR);

/**
 * The rules of a set, ready to be asked.
 * @param version of the policy that the set is; 0: it is of the configuration
 * @throws DomainError LIMIT_RULES_INVALID
 */
export function bookOf(set: LimitRuleSet, corridors: CorridorBook, version = 0): RuleBook {
  checkLimitRules(set.rules);
  return ruleBook(set, (source, target) => corridors.between(source, target)?.id ?? '', version);
}
