// The evidence of a screening in plain words, for people who are no engineers. Pure.
import type {
  IntermediaryRole,
  ListedDate,
  ListReference,
  Parties,
  ReviewOutcome,
  ScreenedParty,
  ScreeningCandidate,
  ScreeningEvidence,
  ScreeningFeature,
} from '../schemas/types.generated.ts';
import { counterpartiesOf, wordFor } from './counterparties.ts';
import { reproduceDecision } from './reproduce.ts';

const PARTS: Readonly<Record<IntermediaryRole, string>> = {
  UNKNOWN: '',
  ULTIMATE_DEBTOR: ' (the money is from them in the end)',
  ULTIMATE_CREDITOR: ' (the money is for them in the end)',
  INITIATING_PARTY: ' (gave the order)',
  DEBTOR_AGENT: " (the sender's bank)",
  INTERMEDIARY_AGENT: ' (a bank on the way)',
  CREDITOR_AGENT: " (the beneficiary's bank)",
};
const OUTCOMES: Readonly<Record<string, string>> = {
  CLEAR: 'no match',
  POTENTIAL_MATCH: 'possible match: held for a person to decide',
  TRUE_MATCH: 'an identifier is the same as a listed one: held for a person to decide',
  UNSCREENABLE: 'the name could not be compared: held for a person to decide',
  APPROVED: 'approved by a person after review',
};
const WHY: Readonly<Record<string, string>> = {
  RESUMED: 'after the review',
  DISPATCH: 'before the payout was asked for',
  SUBMISSION: 'before money moved',
};

/** Lines of text. With the parties, names are given and the decision is made again to check it. */
export function explainEvidence(evidence: ScreeningEvidence, parties: Parties | undefined): readonly string[] {
  const names = parties ? counterpartiesOf(parties).map(({ party }) => party.name) : [];
  const parts = ['', '', ...(parties?.intermediaries ?? []).map(({ role }) => PARTS[role])];
  const linesOf = (screened: readonly ScreenedParty[]) =>
    screened.flatMap((party, place) =>
      partyLines(party, `${wordFor(party.role, place)}${parts[place] ?? ''}`, names[place]),
    );
  const lines = [
    `Result: ${OUTCOMES[evidence.outcome] ?? evidence.outcome}`,
    `Screened on ${time(evidence.screenedAt)} with engine ${evidence.engineVersion}, configuration ${evidence.configurationHash.slice(0, 12)} (a match from ${evidence.threshold})`,
    ...listLines(evidence.lists),
    ...linesOf(evidence.parties),
    ...reviewLines(evidence.review),
  ];
  for (const recheck of evidence.rechecks) {
    lines.push(
      '',
      `Looked at again ${WHY[recheck.reason] ?? recheck.reason} on ${time(recheck.screenedAt)}, because newer lists were in force: only what they added or changed`,
      `Result: ${OUTCOMES[recheck.outcome] ?? recheck.outcome}`,
      ...listLines(recheck.lists),
      ...linesOf(recheck.parties),
      ...reviewLines(recheck.review),
    );
  }
  if (parties) {
    const { identical, differences } = reproduceDecision(evidence, parties);
    lines.push(
      '',
      identical
        ? 'Made again from this evidence: the same decision.'
        : 'Made again from this evidence: NOT the same decision:',
    );
    lines.push(...differences.map((difference) => `  ${difference}`));
  }
  return lines;
}

const time = (ms: number): string => new Date(ms).toISOString();

const listLines = (lists: readonly ListReference[]): readonly string[] => [
  'Lists:',
  ...lists.map(
    ({ source, versionId, publishedOn, contentHash }) =>
      `  ${source}, published ${publishedOn === '' ? 'on an unknown day' : publishedOn} (${versionId}, content ${contentHash.slice(0, 12)})`,
  ),
];

function partyLines(
  { outcome, unscreenableCode, candidates }: ScreenedParty,
  who: string,
  name: string | undefined,
): string[] {
  const lines = [
    '',
    `${who[0]!.toUpperCase()}${who.slice(1)}${name === undefined ? '' : ` "${name}"`}: ${OUTCOMES[outcome] ?? outcome}`,
  ];
  if (unscreenableCode === 'NAME_TOO_LONG')
    lines.push('  The name is longer than what is compared; the rest was not looked at.');
  if (unscreenableCode === 'UNSCREENABLE_NAME')
    lines.push('  The name holds no letter or digit that could be compared.');
  if (candidates.length === 0 && unscreenableCode === null) lines.push('  Nobody on the lists comes near.');
  for (const candidate of candidates) lines.push(...candidateLines(candidate));
  return lines;
}

function candidateLines(candidate: ScreeningCandidate): string[] {
  const { source, entityId, matchedName, aliasQuality, score, threshold, isHit, exceptionId, features, entity } =
    candidate;
  const verdict = isHit
    ? 'a match'
    : exceptionId !== null
      ? `would be a match; excused by exception ${exceptionId}`
      : 'not a match';
  const alias = aliasQuality === 'WEAK' ? ', a weak alias' : aliasQuality === 'STRONG' ? ', an alias' : '';
  const kind = entity === null ? '' : `, ${entity.type}`;
  return [
    `  ${source} ${entityId} "${matchedName}"${alias}${kind}: ${percent(score)} alike, a match from ${percent(threshold)}: ${verdict}`,
    ...features.map(
      (feature) => `    ${featureLine(feature)}${feature.name === 'birth_date' ? listedDates(candidate) : ''}`,
    ),
    ...apartLines(candidate),
  ];
}

/** Names that somebody would take for the same are never passed over in silence. */
function apartLines({ isHit, exceptionId, score, features }: ScreeningCandidate): string[] {
  if (isHit || exceptionId !== null) return [];
  const against = features.filter(({ name, kind, value }) => OTHER_FACTS.has(name) && kind === 'add' && value < 0);
  const added = features.filter(({ name, kind }) => OTHER_FACTS.has(name) && kind === 'add');
  const ofNames = score - added.reduce((sum, { value }) => sum + value, 0);
  if (against.length === 0 || ofNames < NEARLY_THE_SAME) return [];
  const facts = against.map(({ name }) => FEATURES[name] ?? name).join(', ');
  return [`    The names are nearly the same. What tells the two apart: ${facts}.`];
}
const OTHER_FACTS: ReadonlySet<string> = new Set(['birth_date', 'birth_place', 'country', 'gender', 'identifier']);
/** In words; what is kept as evidence is the configuration's to say. */
const NEARLY_THE_SAME = 0.9;

function listedDates({ entity }: ScreeningCandidate): string {
  const dates = entity?.birthDates ?? [];
  return dates.length === 0 ? '' : `; listed: ${dates.map(dateInWords).join(' or ')}`;
}

/** A date as the list gives it: `about 1961`, `1961-05`, `1960 to 1962`. */
export function dateInWords({ year, month, day, toYear, circa }: ListedDate): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const from = [String(year), ...(month === null ? [] : [two(month), ...(day === null ? [] : [two(day)])])].join('-');
  return `${circa ? 'about ' : ''}${from}${toYear === null ? '' : ` to ${toYear}`}`;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const FEATURES: Readonly<Record<string, string>> = {
  name_words: 'words of the name that agree',
  name_conflict: 'weight of words that contradict each other',
  name_extra_query: "weight of the party's words that the list does not have",
  name_extra_listed: "weight of the list's words that the party does not have",
  single_word: 'only one name in common',
  numbers: 'numbers in the names',
  legal_form: 'legal forms',
  swapped_parts: 'family and given name are the other way round',
  initials: 'initials',
  acronym: 'one name is the first letters of the other',
  weak_alias: 'weak alias',
  birth_date: 'date of birth',
  country: 'country',
  gender: 'gender',
  identifier: 'identifier',
  birth_place: 'place of birth',
};

const FOUND: Readonly<Record<string, string>> = {
  equal: 'the same',
  'year-equal': 'the same as far as both are known',
  near: 'nearly the same',
  'day-differs': 'the same year, another day',
  'year-apart': 'some years apart, where the list knows the year only roughly',
  'year-differs': 'another year',
  'year-far': 'many years apart',
  differs: 'not the same',
  differ: 'not the same',
};

function featureLine({ name, value, detail, kind }: ScreeningFeature): string {
  const what = `${FEATURES[name] ?? name}: ${FOUND[detail] ?? detail}`;
  if (kind === 'factor') return `${what} (times ${value})`;
  if (kind === 'cap') return `${what} (at most ${percent(value)})`;
  if (kind === 'add') return value === 0 ? what : `${what} (${value > 0 ? '+' : ''}${percent(value)})`;
  return `${what} (${percent(value)})`;
}

function reviewLines(review: ReviewOutcome | null): readonly string[] {
  if (review === null) return [];
  const decision = review.decision === 'APPROVE' ? 'approved' : 'rejected';
  return ['', `Review: ${decision} by ${review.decidedBy} on ${time(review.decidedAt)}: ${review.justification}`];
}
