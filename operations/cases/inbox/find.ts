// One case by its id, whichever kind it is of, and the hash of what a person sees of it.
import { hash } from 'node:crypto';
import type { Payout, PayoutCase } from '../../../payouts/payout.ts';
import { CodedError } from '../../../ports/fault.ts';
import {
  type CustomerCaseFlaw,
  flawOfCustomerCase,
  type SealedCustomerCase,
} from '../../../screening/rescreening/customer-seals.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { heldIn, isProven } from '../../../sinks/cases/check.ts';
import { wholeCase } from '../holds/decide.ts';
import { payoutCaseHash } from '../payouts/decide.ts';
import { payoutCaseId, payoutCaseIn } from './briefs.ts';
import type { InboxSources } from './ports.ts';

interface Found {
  readonly id: string;
  readonly transferId: string;
  readonly isOpen: boolean;
  /** Of all that a decision is made on. */
  readonly seen: string;
}

export interface FoundHold extends Found {
  readonly kind: 'HOLD';
  readonly hold: CaseDocument;
  /** Whether what the case says of its end is proven. */
  readonly proven: boolean;
}
export interface FoundPayoutCase extends Found {
  readonly kind: 'PAYOUT';
  readonly payout: Payout;
  readonly one: PayoutCase;
  readonly number: number;
}
export interface FoundCustomerCase extends Found {
  readonly kind: 'CUSTOMER';
  readonly found: SealedCustomerCase;
  readonly flaw: CustomerCaseFlaw | undefined;
}
export type FoundCase = FoundHold | FoundPayoutCase | FoundCustomerCase;

type FindSources = {
  readonly holds: Pick<InboxSources['holds'], 'find'>;
  readonly payouts: Pick<InboxSources['payouts'], 'load'>;
  readonly customers: Pick<InboxSources['customers'], 'find'>;
  readonly operators: InboxSources['operators'];
};

/**
 * @param id of a hold, of a customer's case, TRANSFER/NUMBER of a payout's case, or the transfer alone when its payout has
 *   one open case
 * @throws CodedError CASE_UNKNOWN, CASE_ALTERED
 */
export async function findCase(sources: FindSources, id: string): Promise<FoundCase> {
  const placed = payoutCaseIn(id);
  if (placed) return payoutCase(sources, placed.payoutId, placed.number);
  const [hold, customer] = await Promise.all([sources.holds.find(id), sources.customers.find(id)]);
  if (hold) return foundHold(hold, sources);
  if (customer) return foundCustomer(customer, sources);
  return payoutCase(sources, id, undefined);
}

function foundHold(found: CaseDocument, { operators }: FindSources): FoundHold {
  const hold = wholeCase(found._id, found);
  const { _id: id, transferId, evidenceHash: seen } = hold;
  const isOpen = hold.state === 'OPEN';
  const proven = isProven(hold, operators);
  return { kind: 'HOLD', id, transferId, isOpen, seen, hold: { ...hold, held: heldIn(hold) }, proven };
}

function foundCustomer(found: SealedCustomerCase, { operators }: FindSources): FoundCustomerCase {
  const { caseId: id, transferId, state } = found;
  const flaw = flawOfCustomerCase(operators, found);
  return { kind: 'CUSTOMER', id, transferId, isOpen: state === 'OPEN', seen: customerHash(found), found, flaw };
}

/** The seal stands for all that was opened; a case is decided under it. */
const customerHash = ({ caseId, seal }: SealedCustomerCase): string =>
  hash('sha256', `corridor-customer-case-1\n${caseId}\n${seal ?? ''}`, 'hex');

async function payoutCase({ payouts }: FindSources, payoutId: string, asked: number | undefined): Promise<FoundCase> {
  const [payout] = await payouts.load([payoutId]);
  if (!payout) throw unknown(asked === undefined ? payoutId : payoutCaseId(payoutId, asked));
  const number = asked ?? onlyOpen(payout);
  const one = payout.cases[number - 1];
  if (!one) throw unknown(payoutCaseId(payoutId, number));
  const seen = payoutCaseHash(payout, number);
  const id = payoutCaseId(payoutId, number);
  return { kind: 'PAYOUT', id, transferId: payoutId, isOpen: one.closedAt === null, seen, payout, one, number };
}

function onlyOpen({ payoutId, cases }: Payout): number {
  const open = cases.flatMap(({ closedAt }, index) => (closedAt === null ? [index + 1] : []));
  if (open.length === 1) return open[0]!;
  const named = cases.map((_, index) => payoutCaseId(payoutId, index + 1));
  const which = named.length === 0 ? 'its payout has no case' : `say which one: ${named.join(', ')}`;
  throw new CodedError('CASE_UNKNOWN', `${payoutId} is a transfer: ${which}`);
}

const unknown = (id: string): CodedError =>
  new CodedError('CASE_UNKNOWN', `there is no case ${id}: see \`corridor cases list\``);
