// Each decision against the version of law that was in force: which one counts follows from when the broker took the event that
// was decided on. Nothing is said of the moments around the beginning of a version: brokers' clocks differ, and a process hears
// of a version a little after the log has it.
import { MAX_REQUEST_AGE_MS } from '../../processors/fx-pricing/quotes.ts';
import { type RuleBook, requestedUse, requestsOf } from '../../processors/limits/requests.ts';
import type { LimitUse, TransferPriced } from '../../schemas/types.generated.ts';
import type { Check, Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { LoggedLaw } from '../ports.ts';
import { type AnySeen, positionOf } from '../transfer.ts';

const NAME = 'laws';
/** So long around the beginning of a version either of two may have counted, ms. */
const UNSURE_MS = 60_000;

interface Decided {
  readonly kind: 'limits' | 'terms';
  /** Name and number of the set, as the event has it. */
  readonly set: string;
  /** When the broker took what was decided on, ms since 1970; where the event does not say so: when it took the decision. */
  readonly at: number;
  readonly isExact: boolean;
  /** So long around the beginning of a version either of two may have counted, ms. */
  readonly unsureMs: number;
}

/** One of a run: it keeps which rules nobody knows. */
export function laws(): Check {
  const unknown = new Set<string>();
  return {
    name: NAME,
    proves:
      'What limits reserved and held, they decided by the version of rules that was in force, for what it states; so was the price of a quote; refusals and other prices by one that had begun.',
    skips: ({ laws: known }) => (known ? undefined : 'no versions of policies were given'),
    record(seen, run) {
      const decided = decidedIn(seen);
      if (decided === undefined) return;
      const known = run.sources.laws![decided.kind];
      const wrong = wrongOf(decided, known, unknown);
      if (wrong !== undefined) say(run, seen, 'LAW_NOT_IN_FORCE', `${decided.set}: ${wrong}`);
      const law = known.find(({ name }) => name === decided.set);
      const odd = law?.book && oddUse(seen, law.book, law.unsure);
      if (odd) say(run, seen, 'LIMIT_USES_DIFFER', `${decided.set}: ${odd}`);
    },
    end(run) {
      for (const set of unknown)
        run.findings.add(NAME, {
          code: 'LIMIT_RULES_UNKNOWN',
          severity: 'warning',
          detail: `decisions name ${set}, and no such version of limits is proven in the log`,
        });
    },
  };
}

function say(run: Run, { topic, record, value }: AnySeen, code: FindingCode, detail: string): void {
  const { transferId } = (value as { readonly envelope: { readonly transferId: string } }).envelope;
  const position = positionOf(topic, record.partition, record.offset);
  run.findings.add(NAME, { code, transferId, position, detail });
}

function decidedIn({ topic, value, record }: AnySeen): Decided | undefined {
  const took = { at: record.timestamp, isExact: false, unsureMs: UNSURE_MS };
  if (topic === 'transfer.priced') {
    const { terms, lockedAt } = value.price;
    if (terms === null) return undefined;
    if (value.instruction.quoteId === null) return { kind: 'terms', set: terms.set, ...took };
    // The price of a quote was made when it says so, for a request of shortly before.
    return { kind: 'terms', set: terms.set, at: lockedAt, isExact: true, unsureMs: UNSURE_MS + MAX_REQUEST_AGE_MS };
  }
  if (topic === 'transfer.rejected') {
    const set = value.limitsRefusal?.limitRules ?? null;
    return set === null ? undefined : { kind: 'limits', set, ...took };
  }
  if (topic !== 'transfer.reserved' && (topic !== 'transfer.held' || value.hold.stage !== 'LIMITS')) return undefined;
  // Of before sets were named there is nothing to say.
  const { limitRules = null, reservedAt } = value.reservation ?? { reservedAt: 0 };
  return limitRules === null
    ? undefined
    : { kind: 'limits', set: limitRules, at: reservedAt, isExact: true, unsureMs: UNSURE_MS };
}

/** Why the version that is named was not in force; undefined: nothing in the log says so. */
function wrongOf(
  { kind, set, at, isExact, unsureMs }: Decided,
  known: readonly LoggedLaw[],
  unknown: Set<string>,
): string | undefined {
  const number = Number(/#([1-9]\d{0,8})$/.exec(set)?.[1] ?? 0);
  const named = known.find(({ version }) => version === number);
  if (number > 0 && named === undefined) {
    // What terms nobody knows is told by the check of terms.
    if (kind === 'limits') unknown.add(set);
    return undefined;
  }
  if (named !== undefined && named.name !== null && named.name !== set) return `version ${number} is ${named.name}`;
  if (named !== undefined && named.earliest > at + unsureMs)
    return `it counts from ${instant(named.earliest)} on, and was gone by at ${instant(at)}`;
  const later = isExact && known.find(({ version, latest }) => version > number && latest + unsureMs <= at);
  if (!later) return undefined;
  return `version ${later.version} had counted since ${instant(later.latest)} for what the broker took at ${instant(at)}`;
}

/**
 * The first use that is not what the rules state for this transfer; undefined: all are, or nothing was reserved.
 * @param unsure rules that need not count; where they do, it is as they state
 */
function oddUse({ topic, value }: AnySeen, book: RuleBook, unsure?: ReadonlySet<string>): string | undefined {
  if (topic !== 'transfer.reserved' && topic !== 'transfer.held') return undefined;
  const { reservation, price, screening } = value;
  if (reservation === null || price === null || screening === null) return undefined;
  const priced: TransferPriced = { ...value, price, screening, limitsApproval: null };
  const stated = new Map(
    requestsOf(priced, reservation.reservedAt, book).map((request) => [
      request.ruleId,
      statementOf(requestedUse(request, 0n)),
    ]),
  );
  for (const use of reservation.uses) {
    if (stated.get(use.ruleId) !== statementOf(use)) return `it does not state what is reserved for ${use.ruleId}`;
    stated.delete(use.ruleId);
  }
  const missing = [...stated.keys()].find((ruleId) => !unsure?.has(ruleId));
  return missing === undefined ? undefined : `nothing is reserved for ${missing}`;
}

/** All that rules state; what is used by others they do not know. */
const statementOf = ({ usedMinor: _, ...stated }: LimitUse): string =>
  JSON.stringify(
    Object.entries(stated).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
  );

const instant = (at: number): string => new Date(at).toISOString();
