// Tries every parked letter on the build at hand: what a roll-out would mend, what it would not, and what it would break.
import type { DeadLetterDocument } from '../../../sinks/dead-letters/letter.ts';
import { allLetters } from '../letters.ts';
import type { DeadLetters, LetterFilter } from '../ports.ts';
import type { ReplayLog } from './ports.ts';
import { predictLetters, type Trial } from './predict.ts';
import type { Prediction, PredictionKind } from './replay.ts';

const LETTERS_AT_ONCE = 200;

export const VERDICTS = ['goes through', 'still fails', 'fails anew', 'nothing to do', 'unknown'] as const;
export type BuildVerdict = (typeof VERDICTS)[number];

export interface BuildRow {
  readonly owner: string;
  readonly group: string;
  /** Code of the dead letters. */
  readonly was: string;
  readonly verdict: BuildVerdict;
  readonly kind: PredictionKind;
  readonly code: string | null;
  readonly letters: number;
}

/** One row for each group and prediction. Letters without a seal are left out: nothing proves what they are. */
export async function checkBuild(
  store: DeadLetters,
  log: Pick<ReplayLog, 'letters'>,
  trial: Trial,
  filter: LetterFilter,
): Promise<readonly BuildRow[]> {
  const rows = new Map<string, BuildRow>();
  const tryAll = async (owner: string, letters: readonly DeadLetterDocument[]) => {
    const items = letters.map((letter) => ({ ...letter, letterId: letter._id }));
    const predictions = await predictLetters(items, owner, log, trial);
    letters.forEach(({ group, code: was }, i) => {
      const { kind, code } = predictions[i]!;
      const key = `${owner} ${group} ${kind} ${code}`;
      const known = rows.get(key)?.letters ?? 0;
      rows.set(key, { owner, group, was, verdict: verdictOf(was, predictions[i]!), kind, code, letters: known + 1 });
    });
  };
  const waiting = new Map<string, DeadLetterDocument[]>();
  for await (const letter of allLetters(store, { ...filter, states: ['PARKED'] })) {
    if (!letter.proven) continue;
    const of = waiting.get(letter.owner) ?? [];
    waiting.set(letter.owner, of);
    of.push(letter);
    if (of.length >= LETTERS_AT_ONCE) await tryAll(letter.owner, of.splice(0));
  }
  for (const [owner, of] of waiting) await tryAll(owner, of);
  return [...rows.values()].toSorted((a, b) => b.letters - a.letters);
}

/** Pure. */
export function verdictOf(was: string, { kind, code }: Prediction): BuildVerdict {
  switch (kind) {
    case 'UNKNOWN':
      return 'unknown';
    case 'ENDED':
    case 'MOVED_ON':
      return 'nothing to do';
    case 'DEAD_AGAIN':
    case 'UNREADABLE':
      return code === was ? 'still fails' : 'fails anew';
    default:
      return 'goes through';
  }
}
