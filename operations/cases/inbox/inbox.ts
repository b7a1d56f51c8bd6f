// The inbox: every case that waits for a person, in one list, the first due first. What cannot be read is told, never left
// out in silence.
import type { Payout } from '../../../payouts/payout.ts';
import { isCoded } from '../../../ports/fault.ts';
import type { PayoutRequested } from '../../../schemas/types.generated.ts';
import { flawOfCustomerCase, type SealedCustomerCase } from '../../../screening/rescreening/customer-seals.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { alteredIn } from '../../../sinks/cases/check.ts';
import { maskedName, type Sight } from '../../access/masking.ts';
import { Gaps, type Missing } from '../../queries/gaps.ts';
import { customerBrief, holdBrief, payoutBriefs, payoutCaseIn } from './briefs.ts';
import { checkTerms, kindsWanted, type Page, type PageTerms, pageOf } from './page.ts';
import type { InboxSources, TransferFacts } from './ports.ts';
import type { Assigned, CaseBrief, CaseKind, InboxRow, QueuedCase } from './row.ts';
import { DEFAULT_SLA, dueAt, type SlaPolicy } from './sla.ts';

/** Open cases of one kind that are looked at. With more, those that were opened first are, and the list says so. */
export const MAX_OPEN = 5_000;

type Source = CaseKind | 'AMOUNTS' | 'ASSIGNMENTS' | 'NAMES' | 'UNKNOWN_PAYOUTS';

export interface InboxPage extends Omit<Page, 'cases'> {
  readonly rows: readonly InboxRow[];
  /** Payouts of unknown outcome that are no cases (yet): the list has not got them. Counted to `MAX_OPEN`, whatever the filter. */
  readonly unknownPayouts: number;
  /** False: `missing` says what is not here, and why. */
  readonly complete: boolean;
  readonly missing: readonly Missing<Source>[];
}

export interface InboxTerms extends PageTerms {
  /** ms since 1970 */
  readonly now: number;
  readonly sla?: SlaPolicy;
  /** What of names the person may see; masked unless said otherwise. */
  readonly sight?: Sight;
  /** For tests. */
  readonly maxOpen?: number;
}

interface Opened {
  readonly briefs: readonly CaseBrief[];
  /** Customers' cases, which are read whole. */
  readonly customers?: readonly SealedCustomerCase[];
}

/**
 * A page of open cases. Reads every open case of the kinds that are wanted without what is held, and the page whole.
 * @throws CodedError OPTION_INVALID, CURSOR_INVALID; and what the store says when no kind of case can be read
 */
export async function listInbox(sources: InboxSources, terms: InboxTerms): Promise<InboxPage> {
  checkTerms(terms);
  const gaps = new Gaps<Source>();
  const most = terms.maxOpen ?? MAX_OPEN;
  const kinds = kindsWanted(terms.filter);
  const [unknownPayouts, assigned, ...read] = await Promise.all([
    gaps.read('UNKNOWN_PAYOUTS', 0, () => sources.payouts.unknownWithoutCase(MAX_OPEN)),
    assignedCases(sources, terms.now, gaps),
    ...kinds.map((kind) => gaps.read(kind, undefined, () => OPENED[kind](sources, gaps, most))),
  ]);
  const opened = read.filter((each) => each !== undefined);
  if (opened.length === 0 && gaps.first) throw gaps.first;
  const { sla = DEFAULT_SLA } = terms;
  const queue = opened.flatMap(({ briefs }) =>
    briefs.map((brief): QueuedCase => {
      const due = dueAt(brief, sla, sources.corridors);
      return { ...brief, dueAt: due, assigned: assigned.get(brief.id) ?? null };
    }),
  );
  const { cases, ...page } = pageOf(queue, terms);
  const customers = opened.flatMap((each) => each.customers ?? []);
  const rows = await checkedRows(sources, { cases, customers, sight: terms.sight ?? 'masked' }, gaps);
  return { ...page, rows, unknownPayouts, complete: gaps.missing.length === 0, missing: gaps.missing };
}

const OPENED: Readonly<Record<CaseKind, (from: InboxSources, gaps: Gaps<Source>, most: number) => Promise<Opened>>> = {
  async HOLD({ holds, corridors }, gaps, most) {
    const found = bounded('HOLD', await holds.briefs(most + 1), most, gaps);
    return { briefs: found.map((each) => holdBrief(each, corridors)) };
  },
  async PAYOUT({ payouts, transfers, corridors }, gaps, most) {
    const found = bounded('PAYOUT', await payouts.briefs(most + 1), most, gaps);
    const facts = await factsOf(transfers, found, ({ payoutId }) => payoutId, gaps);
    return { briefs: found.flatMap((each) => payoutBriefs(each, facts.get(each.payoutId), corridors)) };
  },
  async CUSTOMER({ customers, transfers, corridors }, gaps, most) {
    const found = bounded('CUSTOMER', await customers.list({ state: 'OPEN', limit: most + 1 }), most, gaps);
    const facts = await factsOf(transfers, found, ({ transferId }) => transferId, gaps);
    return {
      briefs: found.map((each) => customerBrief(each, facts.get(each.transferId), corridors)),
      customers: found,
    };
  },
};

function bounded<T>(kind: CaseKind, found: readonly T[], most: number, gaps: Gaps<Source>): readonly T[] {
  if (found.length <= most) return found;
  gaps.cut(kind, `more than ${most} are open: only those that were opened first are looked at`, 'INBOX_CUT');
  return found.slice(0, most);
}

async function factsOf<T>(
  transfers: InboxSources['transfers'],
  found: readonly T[],
  idOf: (each: T) => string,
  gaps: Gaps<Source>,
): Promise<ReadonlyMap<string, TransferFacts>> {
  const ids = [...new Set(found.map(idOf))];
  const facts = ids.length === 0 ? [] : await gaps.read('AMOUNTS', [], () => transfers.of(ids));
  return new Map(facts.map((each) => [each.transferId, each]));
}

async function assignedCases(
  { assignments }: InboxSources,
  now: number,
  gaps: Gaps<Source>,
): Promise<ReadonlyMap<string, Assigned>> {
  // As many as there may be open cases: one for each.
  const found = await gaps.read('ASSIGNMENTS', [], () => assignments.current(now, 3 * MAX_OPEN));
  return new Map(found.map(({ caseId, by, until }) => [caseId, { by, until }]));
}

/** Names, and what of a row is not what a program of ours wrote. */
type Checked = Pick<InboxRow, 'names' | 'flaw'>;

interface Listed {
  readonly cases: readonly QueuedCase[];
  readonly customers: readonly SealedCustomerCase[];
  readonly sight: Sight;
}

async function checkedRows(
  sources: InboxSources,
  { cases, customers, sight }: Listed,
  gaps: Gaps<Source>,
): Promise<readonly InboxRow[]> {
  const ofKind = (kind: CaseKind) => cases.filter((each) => each.kind === kind);
  const [holds, payouts] = await Promise.all([
    checkedHolds(sources, ofKind('HOLD'), sight, gaps),
    checkedPayouts(sources, ofKind('PAYOUT'), sight, gaps),
  ]);
  const known = new Map([...holds, ...payouts, ...checkedCustomers(sources, customers)]);
  // What was decided between the two reads is no row any more.
  return cases.flatMap((each) => {
    const checked = known.get(each.id);
    return checked ? [{ ...each, ...checked }] : [];
  });
}

async function checkedHolds(
  { holds }: InboxSources,
  cases: readonly QueuedCase[],
  sight: Sight,
  gaps: Gaps<Source>,
): Promise<readonly CheckedOf[]> {
  if (cases.length === 0) return [];
  return gaps.read('NAMES', cases.map(unread), async () =>
    (await holds.load(cases.map(({ id }) => id)))
      .filter(({ state }) => state === 'OPEN')
      .map((found): CheckedOf => [found._id, checkedHold(found, sight)]),
  );
}

function checkedHold(found: CaseDocument, sight: Sight): Checked {
  if (alteredIn(found).length > 0) return { names: null, flaw: 'CASE_ALTERED' };
  return { names: namesIn(found.held.parties, sight), flaw: null };
}

async function checkedPayouts(
  { payouts, requests }: InboxSources,
  cases: readonly QueuedCase[],
  sight: Sight,
  gaps: Gaps<Source>,
): Promise<readonly CheckedOf[]> {
  if (cases.length === 0) return [];
  return gaps.read('NAMES', cases.map(unread), async () => {
    const payoutOf = ({ id, transferId }: QueuedCase) => payoutCaseIn(id)?.payoutId ?? transferId;
    const found = await payouts.load([...new Set(cases.map(payoutOf))]);
    const named = await Promise.all(found.map((payout) => partiesOf(requests, payout)));
    const parties = new Map(found.flatMap(({ payoutId }, index) => (named[index] ? [[payoutId, named[index]]] : [])));
    return cases.map((each): CheckedOf => {
      const known = parties.get(payoutOf(each));
      return [each.id, known ? { names: namesIn(known, sight), flaw: null } : { names: null, flaw: 'PAYOUT_FORGED' }];
    });
  });
}

/** Who is paid and who pays; undefined when the stored request is not one that the system wrote. */
async function partiesOf(
  requests: InboxSources['requests'],
  { requested }: Payout,
): Promise<PayoutRequested['parties'] | undefined> {
  try {
    return (await requests.decode([requested]))[0]!.parties;
  } catch (error) {
    if (isCoded(error) && error.code === 'REQUEST_UNREADABLE') return undefined;
    throw error;
  }
}

const checkedCustomers = ({ operators }: InboxSources, cases: readonly SealedCustomerCase[]) =>
  cases.map((found): CheckedOf => [found.caseId, { names: null, flaw: flawOfCustomerCase(operators, found) ?? null }]);

type CheckedOf = readonly [caseId: string, checked: Checked];
const unread = ({ id }: QueuedCase): CheckedOf => [id, { names: null, flaw: null }];

const namesIn = (parties: PayoutRequested['parties'], sight: Sight): Checked['names'] => {
  if (!('corridor.Parties' in parties)) return null;
  const { debtor, creditor } = parties['corridor.Parties'];
  return { sender: maskedName(debtor.name, sight), beneficiary: maskedName(creditor.name, sight) };
};
