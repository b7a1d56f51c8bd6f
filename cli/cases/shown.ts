// One case as people read it before they decide: what is open, why, about whom, and what speaks for and against. Pure.
import { formatMoney } from '../../domain/money/currencies.ts';
import type { SecondPerson } from '../../domain/people/two-persons.ts';
import type { Assignment } from '../../operations/cases/assignments/decide.ts';
import { evidenceOfHold, type Hit, type Look } from '../../operations/cases/holds/evidence.ts';
import type { FoundCase, FoundCustomerCase, FoundHold, FoundPayoutCase } from '../../operations/cases/inbox/find.ts';
import { VERDICTS } from '../../operations/cases/inbox/verdict.ts';
import type { CaseNote } from '../../operations/cases/notes/notes.ts';
import type { PayoutCase } from '../../payouts/payout.ts';
import type { Parties, Party, PostalAddress } from '../../schemas/types.generated.ts';

export interface ShowTerms {
  /** ms since 1970 */
  readonly now: number;
  readonly assignment: Assignment | undefined;
}

/** Lines of text. They hold personal data. */
export function caseLines(found: FoundCase, { now, assignment }: ShowTerms): readonly string[] {
  const facts = {
    HOLD: () => holdLines(found as FoundHold, now),
    PAYOUT: () => payoutLines(found as FoundPayoutCase),
    CUSTOMER: () => customerLines(found as FoundCustomerCase),
  };
  const until = assignment && `Worked on by ${assignment.by} until ${time(assignment.until)}`;
  return [...facts[found.kind](), ...(until ? ['', until] : [])];
}

/** What people wrote to each other about it. */
export const noteLines = (notes: readonly CaseNote[]): readonly string[] =>
  notes.length === 0
    ? []
    : ['', 'Notes:', ...notes.map(({ by, at, text }) => `  ${by} at ${at.toISOString()}: ${text}`)];

/** What to type next; nothing for a case that is decided. */
export function howToDecide({ id, kind, isOpen }: FoundCase): readonly string[] {
  if (!isOpen) return [];
  const verdicts = VERDICTS[kind].map((verdict) => `--${verdict.toLowerCase()}`).join('|');
  return ['', `To decide: corridor cases decide ${id} ${verdicts} --code CODE --reason "…"`];
}

function holdLines({ id, hold, proven }: FoundHold, now: number): readonly string[] {
  const { transferId, stage, state, openedAt, expiresAt, decision, held, reasons } = hold;
  const { instruction, price, parties } = held;
  const { looks } = evidenceOfHold(held, now);
  const end =
    decision &&
    `${decision.decision} by ${decision.decidedBy}${agreed(decision)} at ${decision.decidedAt.toISOString()}`;
  return [
    `Case ${id}: transfer ${transferId} is held by ${stage}`,
    `${state}${proven ? '' : ', NOT SEALED'}${end ? `: ${end}: ${decision.justification}` : ''}`,
    `Opened ${openedAt.toISOString()}, lapses ${expiresAt.toISOString()}`,
    `${formatMoney(instruction.instructedAmount)}, ${instruction.sourceCurrency} to ${instruction.targetCurrency}, ${instruction.sourceCountry} to ${instruction.targetCountry}, purpose ${instruction.purposeCode}`,
    ...(price ? [`Debit ${formatMoney(price.debit)}, credit ${formatMoney(price.credit)}`] : []),
    '',
    'Held because:',
    ...reasons.map(({ code, detail }) => `  ${code}  ${detail}`),
    ...partyLines('corridor.Parties' in parties ? parties['corridor.Parties'] : undefined),
    ...looks.flatMap(lookLines),
  ];
}

/** Who let it through beside who decided, where somebody did. */
const agreed = ({ agreedBy }: SecondPerson): string =>
  agreedBy === undefined || agreedBy === null ? '' : `, let through by ${agreedBy}`;

function partyLines(parties: Parties | undefined): readonly string[] {
  if (!parties) return ['', 'The parties are sealed.'];
  const more = parties.intermediaries.map(
    ({ role, name, country }, n) => `Intermediary ${n + 1} ${name}, ${role}, ${country}`,
  );
  return [
    '',
    `Sender      ${partyLine(parties.debtor)}`,
    `Beneficiary ${partyLine(parties.creditor)}`,
    ...more,
    ...(parties.remittanceInformation === null ? [] : [`Remittance  ${parties.remittanceInformation}`]),
  ];
}

const partyLine = ({ name, kind, birthDate, birthPlace, country, ...rest }: Party): string =>
  [
    name,
    kind.toLowerCase(),
    ...(birthDate === null ? [] : [`born ${birthDate}`]),
    ...(birthPlace === null ? [] : [`in ${birthPlace.town}, ${birthPlace.country}`]),
    country,
    ...(rest.nationalities.length === 0 ? [] : [`national of ${rest.nationalities.join(', ')}`]),
    ...(rest.postalAddress === null ? [] : [`lives at ${addressLine(rest.postalAddress)}`]),
    ...rest.identifiers.map(({ scheme, value }) => `${scheme} ${value}`),
  ].join(', ');

const addressLine = ({ lines, ...fields }: PostalAddress): string =>
  [fields.building, fields.street, ...lines, fields.postCode, fields.town, fields.subdivision, fields.country]
    .filter((part) => part !== null)
    .join(' ');

const WHY: Readonly<Record<string, string>> = {
  SCREENED: 'Screened',
  RESUMED: 'Looked at again after a review',
  DISPATCH: 'Looked at again before the payout was asked for',
  SUBMISSION: 'Looked at again before money moved',
};

const lookLines = ({ why, at, outcome, hits, unscreenable }: Look): readonly string[] => [
  '',
  `${WHY[why] ?? why} at ${time(at)}: ${outcome}`,
  ...unscreenable.map(({ who, code }) => `  ${who}: could not be compared (${code})`),
  ...hits.flatMap(hitLines),
];

const FACT_WIDTH = 14;
const SIDE_WIDTH = 34;

function hitLines(hit: Hit): readonly string[] {
  const { who, entity, entityType, listedName, aliasQuality, score, threshold, isIdentified, list, decided } = hit;
  const age =
    list && (list.days === null ? ', of an unknown day' : `, ${list.days} ${list.days === 1 ? 'day' : 'days'} old`);
  return [
    `  ${who} resembles ${entity} "${listedName}" (${[aliasQuality, entityType].filter(Boolean).join(', ')})`,
    `    ${percent(score)} alike, a hit from ${percent(threshold)}${isIdentified ? '; AN IDENTIFIER IS THE SAME' : ''}`,
    ...(list ? [`    list ${list.versionId}${age}`] : []),
    ...(decided ? [`    decided before: ${decided.decision} by ${decided.decidedBy}: ${decided.justification}`] : []),
    `    ${row('', 'party', 'list')}`,
    ...hit.facts.map(({ fact, party, listed, verdict }) => `    ${row(fact, party, listed)}${verdict}`),
  ];
}

const row = (fact: string, party: string, listed: string): string =>
  `${fact.padEnd(FACT_WIDTH)}${(party || '-').padEnd(SIDE_WIDTH)}${(listed || '-').padEnd(SIDE_WIDTH)}`;

function statedLines({ closing }: PayoutCase): readonly string[] {
  const { agreedBy, statement } = closing ?? {};
  return [
    ...(agreedBy === undefined ? [] : [`Let through by ${agreedBy}`]),
    ...(statement
      ? [
          `The provider states ${statement.outcome} in ${statement.reference} of ${statement.date}`,
          `Document ${statement.documentSha256}`,
        ]
      : []),
  ];
}

function payoutLines({ id, payout, one }: FoundPayoutCase): readonly string[] {
  const { phase, provider, attempts } = payout;
  return [
    `Case ${id}: ${one.code} of the payout of transfer ${payout.payoutId}`,
    `${one.closedAt === null ? 'OPEN' : `CLOSED ${time(one.closedAt)}${one.closing ? ` by ${one.closing.by}` : ''}`}`,
    ...statedLines(one),
    `Opened ${time(one.openedAt)}; the payout is ${phase} at ${provider}`,
    '',
    one.detail,
    '',
    'Attempts:',
    ...attempts.map(({ key, startedAt, expiresAt, end }) => {
      const ended = end ? `${end.how}${end.code === null ? '' : ` ${end.code}`} ${time(end.at)}` : 'open';
      return `  ${key}  begun ${time(startedAt)}, expires ${time(expiresAt)}: ${ended}`;
    }),
    ...(attempts.length === 0 ? ['  none'] : []),
  ];
}

function customerLines({ id, found, flaw }: FoundCustomerCase): readonly string[] {
  const { source, entityId, versionId, candidate, transferId, openedAt, state, decision } = found;
  return [
    `Case ${id}: a customer who was paid before resembles ${source}:${entityId}`,
    `${flaw ? 'NOT SEALED: it blocks, whatever it says' : state}${decision ? ` by ${decision.by}${agreed(decision)}: ${decision.reason}` : ''}`,
    `Opened ${time(openedAt)}, list ${versionId}`,
    `"${candidate?.matchedName}", ${percent(candidate?.score)} alike, a hit from ${percent(candidate?.threshold)}`,
    '',
    `The parties: corridor explain ${transferId}`,
  ];
}

/** Never throws: a document of another shape is shown too. */
const time = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString() : '-');
const percent = (share: number | undefined): string => (share === undefined ? '-' : `${(share * 100).toFixed(1)} %`);
