// Open cases of each kind as briefs of one shape. Pure. What is not of the shape that was ever written comes first in the
// list: somebody has to look at it.
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import type { SealedCustomerCase } from '../../../screening/rescreening/customer-seals.ts';
import type { HoldBrief, PayoutBrief, TransferFacts } from './ports.ts';
import { type CaseBrief, INBOX_STAGES } from './row.ts';

/** Opened before everything else. */
const FIRST = 0;

export function holdBrief(found: HoldBrief, book: CorridorBook): CaseBrief {
  const { holdId, transferId, reasonCodes, amount, openedAt, expiresAt } = found;
  const stage = INBOX_STAGES.find((known) => known === found.stage);
  return {
    kind: 'HOLD',
    id: holdId,
    transferId,
    // Of a stage that does not hold: screening is looked at by most.
    stage: stage ?? 'SCREENING',
    reasonCodes,
    amount,
    corridor: corridorOf(found, book),
    openedAt: stage === undefined ? FIRST : openedAt,
    expiresAt,
  };
}

/** One for each open case of the payout. */
export function payoutBriefs(
  { payoutId, cases }: PayoutBrief,
  facts: TransferFacts | undefined,
  book: CorridorBook,
): readonly CaseBrief[] {
  const common = {
    kind: 'PAYOUT',
    transferId: payoutId,
    stage: 'PAYOUT',
    expiresAt: null,
    ...known(facts, book),
  } as const;
  if (cases === undefined) return [{ ...common, id: payoutId, reasonCodes: [], openedAt: FIRST }];
  return cases.flatMap(({ code, openedAt, closedAt }, index) =>
    closedAt === null ? [{ ...common, id: payoutCaseId(payoutId, index + 1), reasonCodes: [code], openedAt }] : [],
  );
}

export function customerBrief(
  { caseId, transferId, source, entityId, openedAt }: SealedCustomerCase,
  facts: TransferFacts | undefined,
  book: CorridorBook,
): CaseBrief {
  return {
    kind: 'CUSTOMER',
    id: caseId,
    transferId: String(transferId),
    stage: 'RESCREENING',
    reasonCodes: [`${source}:${entityId}`],
    openedAt: Number.isFinite(openedAt) ? openedAt : FIRST,
    expiresAt: null,
    ...known(facts, book),
  };
}

/** The id of a payout's case: a transfer id holds no slash. */
export const payoutCaseId = (payoutId: string, number: number): string => `${payoutId}/${number}`;

/** The payout and the number that an id of a case names; undefined: it is no such id. */
export function payoutCaseIn(id: string): { readonly payoutId: string; readonly number: number } | undefined {
  const [, payoutId, number] = /^([^/]{1,64})\/([1-9]\d{0,5})$/.exec(id) ?? [];
  return payoutId === undefined ? undefined : { payoutId, number: Number(number) };
}

function known(facts: TransferFacts | undefined, book: CorridorBook): Pick<CaseBrief, 'amount' | 'corridor'> {
  if (!facts) return { amount: null, corridor: null };
  const { debitMinor: minor, sourceCurrency: currency } = facts;
  return { amount: minor === null ? null : { minor, currency }, corridor: corridorOf(facts, book) };
}

const corridorOf = (
  { sourceCurrency, targetCurrency }: Pick<TransferFacts, 'sourceCurrency' | 'targetCurrency'>,
  book: CorridorBook,
): string | null => book.between(sourceCurrency, targetCurrency)?.id ?? null;
