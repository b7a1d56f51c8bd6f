// The engine of limits: which rules count a priced transfer, in which window, for how much. Pure: the stage, its dry run and
// a backtest ask it, and none of them counts anything else.
import { amountIn } from '../../domain/limits/amounts.ts';
import type { LimitRule, LimitRuleSet, LimitSubject } from '../../domain/limits/limit-rules.ts';
import { ruleSetName } from '../../domain/limits/limit-rules.ts';
import { UNSTATED, type WindowAt, windowFinder } from '../../domain/limits/windows.ts';
import type { Money } from '../../domain/money/money.ts';
import type { LimitUse, TransferPriced } from '../../schemas/types.generated.ts';
import type { ReceivedFrom } from '../contract.ts';
import type { Policy } from '../policies.ts';
import type { Topology } from '../topology.ts';
import type { LimitOperation, LimitRequest, Settle } from './ports.ts';
import { mayHoldReservation, settledUses } from './rebuild.ts';

export type LimitsInput = ReceivedFrom<Topology['limits']['reads']>;

/** Rules, ready to be asked. Made once. */
export interface RuleBook {
  /** Name and version of the set, and the number of the policy version that it is: `house@2026-12#7`. */
  readonly name: string;
  readonly rules: readonly LimitRule[];
  readonly byId: ReadonlyMap<string, LimitRule>;
  readonly entries: readonly RuleEntry[];
  corridorIdOf(sourceCurrency: string, targetCurrency: string): string;
}

interface RuleEntry {
  readonly rule: LimitRule;
  readonly windowAt: (at: number) => WindowAt;
  /** ms since 1970 */
  readonly from: number;
  readonly to: number;
}

const midnight = (day: string) => Date.parse(`${day}T00:00:00Z`);

/**
 * @param set checked by checkLimitRules
 * @param version of the policy that the set is; 0: it is of the configuration
 */
export function ruleBook(set: LimitRuleSet, corridorIdOf: RuleBook['corridorIdOf'], version = 0): RuleBook {
  return {
    name: version === 0 ? ruleSetName(set) : `${ruleSetName(set)}#${version}`,
    rules: set.rules,
    byId: new Map(set.rules.map((rule) => [rule.ruleId, rule])),
    entries: set.rules.map((rule) => ({
      rule,
      windowAt: windowFinder(rule.window),
      from: midnight(rule.validFrom),
      to: rule.validTo === null ? Number.POSITIVE_INFINITY : midnight(rule.validTo),
    })),
    corridorIdOf,
  };
}

/** Ids of the rules that a return frees: for events of before, which do not say so. */
const freedByReturnIn = (rules: readonly LimitRule[]): ReadonlySet<string> =>
  new Set(rules.filter((rule) => rule.freedByReturn).map((rule) => rule.ruleId));

/**
 * Every rule by its id, of all versions: what has reserved by one that is in force no more is released by it. Events that do
 * not say what a return frees are older than versions, so of an id the configured rule counts first.
 */
export function rulesOf(policy: Pick<Policy<RuleBook>, 'all'>): readonly LimitRule[] {
  const byId = new Map<string, LimitRule>();
  for (const { content } of policy.all().toReversed()) {
    for (const rule of content.rules) if (!byId.has(rule.ruleId)) byId.set(rule.ruleId, rule);
  }
  return [...byId.values()];
}

/** The limits that a priced transfer counts against; the append time decides windows and validity. */
export function requestsOf(value: TransferPriced, appendedAt: number, book: RuleBook): readonly LimitRequest[] {
  const { sourceCurrency, targetCurrency } = value.instruction;
  const corridorId = book.corridorIdOf(sourceCurrency, targetCurrency);
  const requests: LimitRequest[] = [];
  for (const entry of book.entries) {
    const { rule, windowAt } = entry;
    if (!isInForce(entry, appendedAt) || !counts(rule, value, corridorId)) continue;
    const subjectToken = subjectOf(rule, value.instruction);
    // Nobody is known to be limited: rules of what a transfer must say ask for the field.
    if (subjectToken !== undefined) requests.push(requestOf(rule, value, subjectToken, windowAt(appendedAt)));
  }
  return requests;
}

const isInForce = ({ from, to }: RuleEntry, at: number): boolean => at >= from && at < to;

/** Somebody or something that rules limit, by the token under which it is counted. */
export interface LimitedSubject {
  readonly kind: LimitSubject;
  readonly token: string;
}

/** The rules on a subject that are in force at a time (ms since 1970), each with its window then; some count by a condition. */
export const rulesOn = (
  { entries }: Pick<RuleBook, 'entries'>,
  { kind, token }: LimitedSubject,
  at: number,
): readonly { readonly rule: LimitRule; readonly window: WindowAt }[] =>
  entries
    .filter((entry) => isInForce(entry, at) && entry.rule.subject === kind)
    .filter(({ rule: { provider } }) => provider === undefined || provider === token)
    .map(({ rule, windowAt }) => ({ rule, window: windowAt(at) }));

function counts({ where }: LimitRule, { instruction }: TransferPriced, corridorId: string): boolean {
  const { corridors, sourceCurrencies, arrangements, kycTiers } = where;
  if (corridors !== undefined && !corridors.includes(corridorId)) return false;
  if (sourceCurrencies !== undefined && !sourceCurrencies.includes(instruction.sourceCurrency)) return false;
  if (arrangements !== undefined && !arrangements.includes(instruction.arrangement ?? '')) return false;
  return kycTiers === undefined || kycTiers.includes(instruction.kycTier ?? 'NONE');
}

/** Whom an instruction names. */
export type Named = Pick<
  TransferPriced['instruction'],
  'debtorToken' | 'creditorToken' | 'fundingToken' | 'producerId'
>;

/** Who is counted; undefined: it is not said. */
export function subjectOf(
  { subject, provider }: Pick<LimitRule, 'subject' | 'provider'>,
  named: Named,
): string | undefined {
  const { debtorToken, creditorToken, fundingToken, producerId } = named;
  switch (subject) {
    case 'sender':
      return debtorToken;
    case 'beneficiary':
      return creditorToken;
    case 'pair':
      return `${debtorToken}.${creditorToken}`;
    case 'funding-account':
      return fundingToken ?? undefined;
    case 'producer':
      return producerId ?? undefined;
    case 'provider':
      return provider;
  }
}

/** Not a currency, by ISO 4217. */
const NO_MONEY = 'XXX';

function requestOf(rule: LimitRule, value: TransferPriced, subjectToken: string, window: WindowAt): LimitRequest {
  const { ruleId, metric, limitMinor, action, freedByReturn } = rule;
  const base = { ruleId, subjectToken, window: window.id, limitMinor, action, metric: metric.kind, freedByReturn };
  const counted = { ...base, currency: NO_MONEY, minor: 1n, member: null, declaredMinor: null, freesAt: window.endsAt };
  if (metric.kind === 'count') return counted;
  if (metric.kind === 'beneficiaries') return { ...counted, member: value.instruction.creditorToken };
  const { currency } = metric;
  const minor = inCurrency(currency, value.price[metric.of], value);
  const { declaredUse } = value.instruction;
  const declared = rule.declaredUse && declaredUse !== null ? inCurrency(currency, declaredUse, value) : 0n;
  // No rate of the price leads to the currency of the rule: it never passes unseen, and is never guessed.
  if (minor === undefined || declared === undefined) {
    const seen = action === 'shadow' ? action : 'hold';
    return { ...counted, currency, window: UNSTATED, minor: 0n, limitMinor: 0n, action: seen, freesAt: null };
  }
  return { ...counted, currency, minor, declaredMinor: declared > 0n ? declared : null };
}

const inCurrency = (currency: string, amount: Money, { instruction, price }: TransferPriced): bigint | undefined =>
  amountIn(currency, amount, instruction.sourceCurrency, price.legs);

const METRIC = { amount: 'AMOUNT', count: 'COUNT', beneficiaries: 'BENEFICIARIES' } as const;
const ACTION = { reject: 'REJECT', hold: 'HOLD', documents: 'DOCUMENTS', shadow: 'SHADOW' } as const;

/** What a rule counts, as events say it. */
export const countedBy = ({ metric }: Pick<LimitRule, 'metric'>): Pick<LimitUse, 'metric' | 'currency'> => ({
  metric: METRIC[metric.kind],
  currency: metric.kind === 'amount' ? metric.currency : NO_MONEY,
});

/** How a request stands, as events say it. */
export function requestedUse(request: LimitRequest, usedMinor: bigint): LimitUse {
  const { minor: reservedMinor, metric, action, ...rest } = request;
  return { ...rest, reservedMinor, usedMinor, metric: METRIC[metric], action: ACTION[action] };
}

/** The operation that an input leads to; undefined when the ledger has no part in it. */
export function operationOf(input: LimitsInput, policy: Policy<RuleBook>): LimitOperation | undefined {
  switch (input.topic) {
    case 'transfer.priced': {
      const { transferId, attempt } = input.value.envelope;
      const book = policy.at(input.appendedAt).content;
      const requests = requestsOf(input.value, input.appendedAt, book);
      return { kind: 'reserve', transferId, attempt, requests, limitRules: book.name };
    }
    case 'transfer.rejected':
      return mayHoldReservation(input.value) ? settle(input.value, 'released', policy) : undefined;
    case 'transfer.completed':
      return settle(input.value, 'committed', policy);
    case 'transfer.returned':
      return settle(input.value, 'returned', policy);
    case 'review.decided':
      return undefined;
  }
}

type Ended = Exclude<LimitsInput, { topic: 'transfer.priced' | 'review.decided' }>['value'];

function settle({ envelope, reservation }: Ended, state: Settle['state'], policy: Policy<RuleBook>): Settle {
  const { transferId, attempt } = envelope;
  return { kind: 'settle', transferId, attempt, state, uses: settledUses(reservation, freedBy(policy)) };
}

/** Of each list of versions once. */
const freed = new WeakMap<ReturnType<Policy<RuleBook>['all']>, ReadonlySet<string>>();
function freedBy(policy: Policy<RuleBook>): ReadonlySet<string> {
  const versions = policy.all();
  const known = freed.get(versions) ?? freedByReturnIn(rulesOf(policy));
  freed.set(versions, known);
  return known;
}
