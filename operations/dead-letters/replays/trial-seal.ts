// What a dry run has found, under the seal of the program that tried: money and prediction are what who asks and who approves go
// by, and a database says whatever was written into it. Pure.
import { isSealed, type KeyRing, sealOf } from '../../../domain/seals/seal.ts';
import type { DryRun, ReplayDocument } from './replay.ts';

type Tried = Pick<
  ReplayDocument,
  '_id' | 'owner' | 'discard' | 'letters' | 'money' | 'withoutAmount' | 'selectionHash' | 'edited'
>;

/** In the order in which they are sealed. Frozen while replays are kept. */
const parts = (replay: Tried, { at, by, histogram, basis }: Omit<DryRun, 'seal'>): readonly string[] => [
  ...[replay._id, replay.owner, replay.selectionHash, replay.discard?.reason ?? '', String(replay.edited ?? 0)],
  ...[String(replay.letters), String(replay.withoutAmount)],
  JSON.stringify(replay.money.map(({ currency, minor, letters }) => [currency, String(minor), letters])),
  JSON.stringify(histogram.map(({ kind, code, letters }) => [kind, code, letters])),
  JSON.stringify(Object.entries(basis).toSorted()),
  ...[String(at.getTime()), by],
];

export const trialSeal = (operators: KeyRing, replay: Tried, dryRun: Omit<DryRun, 'seal'>): string =>
  sealOf(operators, 'dry-run', parts(replay, dryRun));

/** Whether letters, money and prediction are what a program of operators has found. Never throws. */
export function isTrialSealed(operators: KeyRing, replay: Tried & Pick<ReplayDocument, 'dryRun'>): boolean {
  try {
    const { dryRun } = replay;
    return dryRun !== null && isSealed(operators, 'dry-run', parts(replay, dryRun), dryRun.seal ?? '');
  } catch {
    return false;
  }
}
