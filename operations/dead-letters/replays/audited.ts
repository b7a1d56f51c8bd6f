// What the audit log says of letters that are sent or discarded: one entry for each.
import type { Act } from '../../audit/entry.ts';
import type { ReplayDocument, ReplayItem } from './replay.ts';

/** @param hash what two persons let through: their approval has the same */
export const actsOnLetters = (
  { discard }: Pick<ReplayDocument, 'discard'>,
  hash: string,
  letters: readonly Pick<ReplayItem, 'letterId'>[],
): readonly Act[] =>
  letters.map(({ letterId }) => ({
    who: { subject: 'replays', roles: [], credential: 'SYSTEM' },
    action: discard ? 'letters.discard' : 'letters.replay',
    on: { kind: 'dead-letters', id: letterId, isKnown: true },
    outcome: 'DONE',
    decidedOn: hash,
  }));
