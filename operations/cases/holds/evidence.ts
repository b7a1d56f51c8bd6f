// The evidence of a hold as data: each hit with the party beside the list entry, fact by fact. Pure. Holds personal data.
import type {
  ListedDate,
  ListReference,
  Parties,
  ReviewOutcome,
  ScreenedParty,
  ScreeningCandidate,
  ScreeningEvidence,
  ScreeningFeature,
  TransferHeld,
} from '../../../schemas/types.generated.ts';
import { counterpartiesOf, type ScreenedFields, wordFor } from '../../../screening/counterparties.ts';
import { dateInWords } from '../../../screening/explain-evidence.ts';
import { isIdentified } from '../../../screening/screened-party.ts';

/** SIMILAR: near enough to count for the match, and not the same. UNKNOWN: one side does not say. */
export type FactVerdict = 'AGREES' | 'SIMILAR' | 'DIFFERS' | 'UNKNOWN';

/** One fact, side by side, as text for people. */
export interface ComparedFact {
  readonly fact: 'name' | 'date of birth' | 'place of birth' | 'country' | 'identifier';
  /** Empty: not known. */
  readonly party: string;
  readonly listed: string;
  readonly verdict: FactVerdict;
}

/** A listed entity that a party resembles. */
export interface Hit {
  /** Which party: `sender`, `intermediary 2`. */
  readonly who: string;
  /** SOURCE:ID. */
  readonly entity: string;
  readonly entityType: string;
  readonly listedName: string;
  /** PRIMARY, STRONG or WEAK. */
  readonly aliasQuality: string;
  readonly score: number;
  readonly threshold: number;
  /** An identifier is the same: no exception ever excuses it. */
  readonly isIdentified: boolean;
  readonly facts: readonly ComparedFact[];
  /** How the engine came to the score. */
  readonly features: readonly ScreeningFeature[];
  readonly list: ListAge | null;
  /** What a person decided in the face of this hit before; null: nobody has. */
  readonly decided: ReviewOutcome | null;
}

/** The list version that an entity was found on. */
export interface ListAge {
  readonly versionId: string;
  /** ISO 8601 date. */
  readonly publishedOn: string;
  /** Whole days since then; null: the day is not known. */
  readonly days: number | null;
}

export interface HeldEvidence {
  /** Newest look first. */
  readonly looks: readonly Look[];
}

/** One screening of the parties: the first, or a later one against what lists have gained. */
export interface Look {
  /** SCREENED, or why it was looked at again: RESUMED, DISPATCH, SUBMISSION. */
  readonly why: string;
  /** ms since 1970 */
  readonly at: number;
  readonly outcome: string;
  readonly hits: readonly Hit[];
  /** Who could not be compared, and why. */
  readonly unscreenable: readonly { readonly who: string; readonly code: string }[];
}

const DAY_MS = 86_400_000;

/** @param now ms since 1970: lists have an age */
export function evidenceOfHold({ screening, parties }: TransferHeld, now: number): HeldEvidence {
  if (screening === null) return { looks: [] };
  const open = 'corridor.Parties' in parties ? parties['corridor.Parties'] : undefined;
  const later = screening.rechecks.map((recheck) => lookOf(recheck.reason, recheck, open, now));
  return { looks: [...later.toReversed(), lookOf('SCREENED', screening, open, now)] };
}

type Screened = Pick<ScreeningEvidence, 'outcome' | 'lists' | 'parties' | 'review' | 'screenedAt'>;

function lookOf(why: string, screened: Screened, parties: Parties | undefined, now: number): Look {
  const { outcome, screenedAt, review } = screened;
  const known = parties ? counterpartiesOf(parties).map(({ party }) => party) : [];
  const who = ({ role }: ScreenedParty, place: number) => wordFor(role, place);
  return {
    why,
    at: screenedAt,
    outcome,
    hits: screened.parties.flatMap((party, place) =>
      party.candidates
        .filter(({ isHit }) => isHit)
        .map((candidate): Hit => {
          const list = screened.lists.find(({ source }) => source === candidate.source);
          return { ...hitOf(candidate, known[place]), who: who(party, place), list: ageOf(list, now), decided: review };
        }),
    ),
    unscreenable: screened.parties.flatMap((party, place) =>
      party.unscreenableCode === null ? [] : [{ who: who(party, place), code: party.unscreenableCode }],
    ),
  };
}

function hitOf(
  candidate: ScreeningCandidate,
  party: ScreenedFields | undefined,
): Omit<Hit, 'who' | 'list' | 'decided'> {
  const { source, entityId, entity, matchedName, aliasQuality, score, threshold, features } = candidate;
  return {
    entity: `${source}:${entityId}`,
    entityType: entity?.type ?? '',
    listedName: matchedName,
    aliasQuality,
    score,
    threshold,
    isIdentified: isIdentified(candidate),
    facts: factsOf(candidate, party),
    features,
  };
}

/** Verdicts are the engine's, so that what is shown is what was scored. */
function factsOf({ matchedName, entity, features }: ScreeningCandidate, party: ScreenedFields | undefined) {
  const said = (name: string) => features.find((feature) => feature.name === name);
  const verdict = (name: string): FactVerdict => VERDICTS[said(name)?.detail ?? ''] ?? 'UNKNOWN';
  const numbers = (all: readonly { readonly value: string; readonly country: string | null }[]) =>
    all.map(({ value, country }) => (country === null ? value : `${value} (${country})`)).join(', ');
  const countries =
    party &&
    [
      ...new Set([party.country, ...party.nationalities, party.postalAddress?.country, party.birthPlace?.country]),
    ].filter(Boolean);
  const born = party?.birthPlace;
  const facts: readonly ComparedFact[] = [
    {
      fact: 'name',
      party: party?.name ?? '',
      listed: matchedName,
      verdict: (said('name_words')?.value ?? 0) >= SAME_NAME ? 'AGREES' : 'SIMILAR',
    },
    {
      fact: 'date of birth',
      party: party?.birthDate ?? '',
      listed: dates(entity?.birthDates ?? []),
      verdict: verdict('birth_date'),
    },
    {
      fact: 'place of birth',
      party: born ? `${born.town}, ${born.country}` : '',
      listed: (entity?.birthPlaces ?? []).join('; '),
      verdict: verdict('birth_place'),
    },
    {
      fact: 'country',
      party: countries?.join(', ') ?? '',
      listed: entity?.countries.join(', ') ?? '',
      verdict: verdict('country'),
    },
    {
      fact: 'identifier',
      party: numbers(party?.identifiers ?? []),
      listed: numbers(entity?.identifiers ?? []),
      verdict: verdict('identifier'),
    },
  ];
  return facts;
}

/** Scores have four decimals. */
const SAME_NAME = 0.9995;

/** What the engine says of a fact (screening/engine/qualifiers.ts). */
const VERDICTS: Readonly<Record<string, FactVerdict>> = {
  equal: 'AGREES',
  'year-equal': 'AGREES',
  near: 'SIMILAR',
  'day-differs': 'DIFFERS',
  'year-apart': 'DIFFERS',
  'year-differs': 'DIFFERS',
  'year-far': 'DIFFERS',
  differs: 'DIFFERS',
};

const dates = (all: readonly ListedDate[]): string => all.map(dateInWords).join(' or ');

function ageOf(list: ListReference | undefined, now: number): ListAge | null {
  if (!list) return null;
  const { versionId, publishedOn } = list;
  const day = Date.parse(publishedOn);
  return { versionId, publishedOn, days: Number.isNaN(day) ? null : Math.max(0, Math.floor((now - day) / DAY_MS)) };
}
