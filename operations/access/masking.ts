// What of personal data a role gets to see. Names and accounts are masked unless there is a reason to show them. Pure.
import type { ScreenedParty, ScreeningEvidence } from '../../schemas/types.generated.ts';
import type { Role } from './table.ts';

/** `hidden`: nothing. `masked`: enough to tell two apart. `full`: as they are. */
export type Sight = 'hidden' | 'masked' | 'full';

const SIGHT: Readonly<Record<Role, Sight>> = {
  viewer: 'hidden',
  operator: 'masked',
  approver: 'masked',
  compliance: 'full',
  admin: 'hidden',
  producer: 'hidden',
  service: 'hidden',
};
const ORDER: readonly Sight[] = ['hidden', 'masked', 'full'];

/** The most that any of these roles sees. */
export function sightOf(roles: readonly Role[]): Sight {
  const most = Math.max(0, ...roles.map((role) => ORDER.indexOf(SIGHT[role])));
  return ORDER[most]!;
}

const HIDDEN = '•••';
const SHOWN_OF_ACCOUNT = 4;

/** `Gwen Hartley` is `G••• H•••`: the first letter of each word, however long it is. */
export function maskedName(name: string, sight: Sight): string {
  if (sight === 'full') return name;
  if (sight === 'hidden') return HIDDEN;
  const words = name.trim().split(/[^\p{L}\p{N}\p{M}]+/u);
  return words
    .filter((word) => word !== '')
    .map((word) => `${[...word][0]}${HIDDEN}`)
    .join(' ');
}

/** An account is known by its last four characters, where it has so many that most stay hidden. */
export function maskedAccount(account: string, sight: Sight): string {
  if (sight === 'full') return account;
  const isLong = account.length >= 3 * SHOWN_OF_ACCOUNT;
  return sight === 'masked' && isLong ? `${HIDDEN}${account.slice(-SHOWN_OF_ACCOUNT)}` : HIDDEN;
}

/** Screening evidence without what tells the party: the name that a list has is nearly the party's own. */
export function maskedEvidence(evidence: ScreeningEvidence, sight: Sight): ScreeningEvidence {
  if (sight === 'full') return evidence;
  const masked = (parties: readonly ScreenedParty[]): readonly ScreenedParty[] =>
    parties.map((party) => ({
      ...party,
      candidates: party.candidates.map((candidate) => ({
        ...candidate,
        matchedName: maskedName(candidate.matchedName, sight),
        family: null,
        given: null,
        entity: null,
      })),
    }));
  return {
    ...evidence,
    parties: masked(evidence.parties),
    rechecks: evidence.rechecks.map((recheck) => ({ ...recheck, parties: masked(recheck.parties) })),
  };
}
