// A rate jumped, and somebody found out that the market did: two persons accept that, for one pair of one corridor, from exactly
// the rate that it last went by, to one rate. Nothing else comes through by it.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { parseDecimal } from '../../domain/money/decimals.ts';
import { isFrom, jumpBps, pairKey } from '../../domain/pricing/jumps.ts';
import type { QuotedRate } from '../../domain/pricing/rates.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import { type Principal, permission } from '../access/principal.ts';
import { canonicalJson, hashOfAct } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import { askForApproval } from '../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../approvals/execute.ts';
import type { Approvals } from '../approvals/ports.ts';
import type { RateLog } from './ports.ts';

const ACT = 'rates.accept-jump';
/** How long a jump that was accepted counts, ms: a feed that comes back later has to be looked at anew. */
export const JUMP_VALID_MS = 3_600_000;

/** What two persons see, and what holds. */
interface Jump extends QuotedRate {
  readonly corridor: string;
  readonly from: QuotedRate & { readonly version: number };
}

export interface JumpAsked {
  readonly id: string;
  readonly corridor: string;
  /** `GBP/INR`: one unit of the first costs `rate` of the second. */
  readonly pair: string;
  readonly rate: string;
  /** What the corridor goes by, as health says it; absent: as the log says. The stage alone knows, and looks at it again. */
  readonly from?: { readonly rate: string; readonly version: number } | undefined;
  readonly by: Principal;
  readonly reason: string;
  readonly at: Date;
}

/**
 * Asks a second person to accept that the rate has jumped.
 * @throws CodedError ACTION_FORBIDDEN, REASON_MISSING, RATE_JUMP_INVALID when that is no jump of this pair
 */
export async function askToAcceptJump(
  {
    log,
    approvals,
    corridors,
  }: {
    readonly log: Pick<RateLog, 'accepted' | 'isProven'>;
    readonly approvals: Approvals;
    readonly corridors: CorridorBook;
  },
  { id, corridor, pair, rate, from, by, reason, at }: JumpAsked,
  operators: KeyRing,
): Promise<Approval> {
  permission(by, 'rates.accept');
  const terms = corridors.corridors.find((each) => each.id === corridor)?.rates;
  if (terms === undefined) throw invalid(`there is no corridor ${safeText(corridor, 48)}`);
  const quoted = quotedOf(pair, rate);
  const key = pairKey({ corridor, ...quoted });
  const last = lastOf(log, (await log.accepted()).get(key), quoted, from);
  if (last === undefined) throw invalid(`${key} went by no rate yet: the first one is taken as it is`);
  const bps = jumpBps(quoted, last);
  if (bps <= terms.maxJumpBps) throw invalid(`${inWords(quoted)} is no jump from ${inWords(last)}: ${bps} bps`);
  const { base, quote, version } = last;
  const jump: Jump = { corridor, ...quoted, from: { base, quote, rate: last.rate, version } };
  const content = canonicalJson(jump);
  const asked = { id, act: ACT, subject: key, content, hash: hashOfAct(ACT, key, content) } as const;
  const summary = `${corridor}: from ${inWords(last)} to ${inWords(quoted)}, ${bps} bps`;
  return askForApproval(approvals, { ...asked, summary, by: by.name, reason, at }, operators);
}

/**
 * What a question is bound to. Where nothing proves what the log says, the word of the person counts, who has it from health:
 * a record that somebody forged stops no question.
 */
function lastOf(
  { isProven }: Pick<RateLog, 'isProven'>,
  logged: AcceptedRate | undefined,
  { base, quote }: QuotedRate,
  from: JumpAsked['from'],
): (QuotedRate & { readonly version: number }) | undefined {
  if (from === undefined) return logged;
  if (!isProven) return { ...quotedOf(`${base}/${quote}`, from.rate), version: from.version };
  if (logged?.rate === from.rate && logged.version === from.version) return logged;
  throw invalid(`it goes by ${logged === undefined ? 'nothing' : `${inWords(logged)} (version ${logged.version})`}`);
}

function quotedOf(pair: string, rate: string): QuotedRate {
  const [, base, quote] = /^([A-Z]{3})\/([A-Z]{3})$/.exec(pair) ?? [];
  if (base === undefined || quote === undefined || base === quote) throw invalid('name the pair as in GBP/INR');
  const decimal = parseDecimal(rate);
  if (decimal === undefined || decimal.coef <= 0n) throw invalid('a rate is a decimal above zero, such as 125.2579');
  return { base, quote, rate };
}

const inWords = ({ base, quote, rate }: QuotedRate): string => `${base}/${quote} ${rate}`;
const invalid = (detail: string) => new CodedError('RATE_JUMP_INVALID', detail);

/** Shows and does what was let through. Again is the same. */
export const acceptJumpHandler = (log: RateLog): ActHandler => ({
  describe: describeContent(({ from, ...jump }: Jump) => [
    `go by ${inWords(jump)} on ${jump.corridor}, for as long as it may take until it is read, an hour at most`,
    `it went by ${inWords(from)} (version ${from.version}): ${jumpBps(jump, from)} bps between them`,
    ...(log.isProven ? [] : ['nothing here proves by what it goes: compare with RATE_JUMPED in `corridor status`']),
  ]),
  execute: (approved) => acceptJump(log, approved),
});

/** @throws CodedError RATE_JUMP_MOVED when the corridor goes by another rate since it was asked for */
async function acceptJump(log: RateLog, approved: ApprovedAct): Promise<string> {
  const { approvalId, subject, askedBy, approvedBy, reason, doneAtStore: at } = approved;
  const { from, ...jump } = JSON.parse(approved.content) as Jump;
  const only = log.isProven ? '' : `, if it still goes by ${inWords(from)} (version ${from.version})`;
  const done = `${jump.corridor} goes by ${inWords(jump)}${only}`;
  const [last, known] = [(await log.accepted()).get(subject), (await log.jumps()).get(subject)];
  if (known?.approvalId === approvalId || last?.approvalId === approvalId) return done;
  const record = {
    ...{ ...jump, fromRate: from.rate, fromVersion: from.version },
    ...{ acceptedAt: at.getTime(), expiresAt: at.getTime() + JUMP_VALID_MS },
    ...{ askedBy, approvedBy, approvalId, reason: safeText(reason, 500) },
  };
  // Unproven, the log says nothing against it. The stage takes no jump from a rate that it does not go by.
  if (log.isProven && (last === undefined || !isFrom(record, last))) throw moved(subject, last);
  await log.publish(record);
  if ((await log.jumps()).get(subject)?.approvalId !== approvalId) throw moved(subject, last);
  return done;
}

const moved = (key: string, last: AcceptedRate | undefined) => {
  const now = last === undefined ? 'nothing' : `${inWords(last)} (version ${last.version})`;
  return new CodedError('RATE_JUMP_MOVED', `${key} goes by ${now} now, or another jump of it was accepted`);
};
