// How somebody stands with the limits: what is used, what is left and when it frees, rule by rule, as the stage would reckon it
// at that moment. Nothing is written.
import type { LimitRule, LimitSubject } from '../../domain/limits/limit-rules.ts';
import { isCounted, rollingOf, type WindowAt } from '../../domain/limits/windows.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { explainStanding, explainWhere, type Used } from '../../processors/limits/explain.ts';
import {
  type LimitedSubject,
  type Named,
  type RuleBook,
  rulesOn,
  subjectOf,
} from '../../processors/limits/requests.ts';

/** A counter to look at, or the steps of a rolling window. */
export interface LedgerPlace {
  readonly ruleId: string;
  readonly subjectToken: string;
  /** Id of the window. */
  readonly window: string;
  /** Different members are counted, and nothing is added up. */
  readonly hasMembers: boolean;
}

export interface LedgerCount {
  /** Minor units, transfers or members, without any transfer that is yet to come. */
  readonly used: bigint;
  /** How many reservations in it are open: their transfers have not ended. */
  readonly open: number;
  /** Of a rolling window without members: what each step holds, the oldest first. */
  readonly steps: readonly { readonly step: number; readonly held: bigint }[];
}

export interface LedgerLook {
  /** One for each place, in order. */
  readonly counts: readonly LedgerCount[];
  /** Rules that count less than was used; `until` in ms since 1970, null: for ever. */
  readonly short: readonly { readonly ruleId: string; readonly until: number | null }[];
  /** False: the ledger was rebuilt, and what was committed behind that is not taken in yet. */
  readonly isCaughtUp: boolean;
}

/** The ledger in force, to be looked at. */
export interface LedgerEyes {
  /**
   * All places as they are at one moment, in one round trip.
   * @throws CodedError REDIS_UNAVAILABLE, LIMITS_NOT_HYDRATED, LEDGER_NEWER
   */
  look(places: readonly LedgerPlace[]): Promise<LedgerLook>;
}

export interface RuleStanding extends Used {
  readonly rule: LimitRule;
  readonly open: number;
  /** When the window ends, ms since 1970; null: not by time, or it has no end but moves on. */
  readonly endsAt: number | null;
  /** For people. */
  readonly text: string;
  /** Which transfers it counts; null: each. */
  readonly condition: string | null;
}

interface Gap {
  /** Id of the rule, or `ledger`. */
  readonly source: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface LimitStanding {
  readonly subject: LimitedSubject;
  /** ms since 1970 */
  readonly at: number;
  /** The set of rules that counts then, as events name it. */
  readonly limitRules: string;
  readonly rules: readonly RuleStanding[];
  /** Something is counted in a window that is open: a wrong id has nothing either. */
  readonly isSeen: boolean;
  /** Why less may be counted than was used. */
  readonly missing: readonly Gap[];
}

export interface StandingAsked {
  readonly subjects: readonly LimitedSubject[];
  /** The rules that count at `at`. */
  readonly book: RuleBook;
  /** ms since 1970 */
  readonly at: number;
}

const NOTHING: LedgerCount = { used: 0n, open: 0, steps: [] };

/** @returns one for each subject, in order. @throws CodedError as LedgerEyes */
export async function limitStandings(eyes: LedgerEyes, asked: StandingAsked): Promise<readonly LimitStanding[]> {
  const { subjects, book, at } = asked;
  const found = subjects.map((subject) => ({ subject, on: rulesOn(book, subject, at) }));
  const places = found.flatMap(({ subject, on }) => on.flatMap((each) => placeOf(subject, each)));
  const look: LedgerLook = places.length === 0 ? { counts: [], short: [], isCaughtUp: true } : await eyes.look(places);
  let next = 0;
  return found.map(({ subject, on }) => {
    const standing = on.map((each): RuleStanding => {
      const isLooked = isCounted(each.window.id);
      return ruleStanding(each, isLooked ? look.counts[next++]! : NOTHING);
    });
    const missing = standing.some(({ window }) => isCounted(window)) ? gapsOf(look, on, at) : [];
    const isSeen = standing.some(({ used, open }) => used !== 0n || open !== 0);
    return { subject, at, limitRules: book.name, rules: standing, isSeen, missing };
  });
}

interface RuleIn {
  readonly rule: LimitRule;
  readonly window: WindowAt;
}

function placeOf({ token }: LimitedSubject, { rule, window }: RuleIn): readonly LedgerPlace[] {
  if (!isCounted(window.id)) return [];
  const hasMembers = rule.metric.kind === 'beneficiaries';
  return [{ ruleId: rule.ruleId, subjectToken: token, window: window.id, hasMembers }];
}

function ruleStanding({ rule, window }: RuleIn, { used, open, steps }: LedgerCount): RuleStanding {
  const left = leftOf(rule, used);
  const state = { window: window.id, used, left, frees: freesOf({ rule, window }, used, steps) };
  const endsAt = rollingOf(window.id) === undefined ? window.endsAt : null;
  const words = { text: explainStanding(rule, state), condition: explainWhere(rule.where) };
  return { rule, ...state, open, endsAt, ...words };
}

const leftOf = ({ limitMinor }: LimitRule, used: bigint): bigint => (used > limitMinor ? 0n : limitMinor - used);

/** The first moment at which more is left than now. */
function freesOf({ rule, window }: RuleIn, used: bigint, steps: LedgerCount['steps']): Used['frees'] {
  if (used <= 0n) return null;
  const rolling = rollingOf(window.id);
  if (rolling === undefined) return window.endsAt === null ? null : { at: window.endsAt, left: rule.limitMinor };
  let then = used;
  for (const { step, held } of steps) {
    then -= held;
    const left = leftOf(rule, then);
    if (left > leftOf(rule, used)) return { at: (step + 1 + rolling.steps) * rolling.stepMs, left };
  }
  return null;
}

function gapsOf({ short, isCaughtUp }: LedgerLook, on: readonly RuleIn[], at: number): readonly Gap[] {
  const ids = new Set(on.map(({ rule }) => rule.ruleId));
  const shorts = short
    .filter(({ ruleId, until }) => ids.has(ruleId) && (until === null || until > at))
    .map(({ ruleId, until }): Gap => {
      const when = until === null ? 'for ever' : `until ${new Date(until).toISOString()}`;
      const detail = `it counts less than was used, ${when}: the log does not reach back to where its window began`;
      return { source: ruleId, code: 'LIMITS_HISTORY_SHORT', detail };
    });
  if (isCaughtUp) return shorts;
  const detail = 'the ledger was rebuilt a moment ago, and what was committed meanwhile is not counted yet: ask again';
  return [...shorts, { source: 'ledger', code: 'LIMITS_REBUILT', detail }];
}

/** What `tokeniser` makes: 32 bytes as base64url. An id of a customer is no token. */
const TOKEN = '[A-Za-z0-9_-]{43}';
const ONE = new RegExp(`^${TOKEN}$`);
const SHAPES: Readonly<Record<LimitSubject, RegExp>> = {
  ...{ sender: ONE, beneficiary: ONE, 'funding-account': ONE, pair: new RegExp(`^${TOKEN}\\.${TOKEN}$`) },
  ...{ producer: /^[^:\s\p{C}]{1,64}$/u, provider: /^[A-Za-z0-9_-]{1,48}$/ },
};
const NAMED_BY: Readonly<Record<LimitSubject, string>> = {
  ...{ sender: 'its token', beneficiary: 'its token', 'funding-account': 'its token' },
  ...{ pair: 'the token of the sender, a dot, and that of the beneficiary' },
  ...{ producer: 'its id', provider: 'its name' },
};

/** @throws CodedError LIMIT_SUBJECT_INVALID when no subject of that kind is counted under such an id */
export function subjectNamed(kind: LimitSubject, token: string): LimitedSubject {
  if (SHAPES[kind].test(token)) return { kind, token };
  throw new CodedError(
    'LIMIT_SUBJECT_INVALID',
    `a ${kind} is named by ${NAMED_BY[kind]}, 43 characters of base64url where it is a token`,
  );
}

/** Kinds that a transfer says as everybody may see it: its view has no token of what it was funded from. */
const OF_TRANSFER = ['sender', 'beneficiary', 'pair', 'producer'] as const;

/** Whom a transfer counts against. */
export const subjectsOf = (named: Omit<Named, 'fundingToken'>): readonly LimitedSubject[] =>
  OF_TRANSFER.flatMap((kind) => {
    const token = subjectOf({ subject: kind }, { ...named, fundingToken: null });
    return token === undefined ? [] : [{ kind, token }];
  });
