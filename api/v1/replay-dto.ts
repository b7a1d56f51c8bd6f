// A replay as it is told, and its ETag.
import { hash } from 'node:crypto';
import { z } from 'zod';
import { currentRate } from '../../operations/dead-letters/replays/control.ts';
import { PREDICTIONS, REPLAY_STATES, type ReplayDocument } from '../../operations/dead-letters/replays/replay.ts';
import { instant, instantOf, moneyDto, moneyOf } from './dto.ts';

export const moneyOfLetters = z
  .object({ amount: moneyDto, letters: z.int() })
  .meta({ id: 'MoneyOfLetters', description: 'What producers instructed in one currency, and in how many letters.' });

export const replayDto = z
  .object({
    replayId: z.string(),
    state: z.enum(REPLAY_STATES),
    owner: z.string().describe('Whose letters; they go to `<owner>.replay`.'),
    askedBy: z.string(),
    createdAt: instant,
    reason: z.string(),
    discard: z
      .string()
      .nullable()
      .describe(
        'Its letters are ended for good, with this reason code for their producers; null: they are decided again.',
      ),
    letters: z.int(),
    editedLetters: z
      .int()
      .describe('So many of them are decided otherwise than they are: `/v1/replays/{replayId}/edits`.'),
    money: z
      .array(moneyOfLetters)
      .describe(
        'As the index of letters has it until it is tried; from the records in the log afterwards, under the seal of the program that tried it.',
      ),
    lettersWithoutAmount: z.int(),
    oldestAt: instant.nullable(),
    ratePerSecond: z.int(),
    canary: z.int().describe('So many are sent first, and have to end well.'),
    maxFailureRatio: z.number(),
    expected: z
      .array(z.object({ kind: z.enum(PREDICTIONS), code: z.string().nullable(), letters: z.int() }))
      .nullable()
      .describe('By a dry run; null: it was not tried.'),
    isTrying: z.boolean().describe('A dry run was asked for, and is not done.'),
    basis: z
      .record(z.string(), z.string())
      .nullable()
      .describe('What the dry run rests on: build, lists, rules. Another one voids the approval.'),
    approvalId: z.string().nullable(),
    startedAt: instant.nullable(),
    halted: z
      .object({ code: z.string(), detail: z.string(), by: z.string(), at: instant })
      .nullable()
      .describe('Why it was stopped, paused or cancelled.'),
    endedAt: instant.nullable(),
  })
  .meta({ id: 'Replay' });

export function replayOf(replay: ReplayDocument): z.output<typeof replayDto> {
  const { _id: replayId, state, owner, askedBy, reason, letters, money, terms, dryRun, halted } = replay;
  const at = (date: Date | null) => (date === null ? null : instantOf(date));
  return {
    ...{ replayId, state, owner, askedBy, createdAt: instantOf(replay.createdAt), reason, letters },
    editedLetters: replay.edited ?? 0,
    discard: replay.discard?.reason ?? null,
    money: money.map(({ minor, currency, letters: some }) => ({ amount: moneyOf(minor, currency), letters: some })),
    ...{ lettersWithoutAmount: replay.withoutAmount, oldestAt: at(replay.oldestAt) },
    ...{ ratePerSecond: currentRate(replay), canary: terms.canary, maxFailureRatio: terms.maxFailureRatio },
    expected: dryRun?.histogram.map(({ kind, code, letters: some }) => ({ kind, code, letters: some })) ?? null,
    isTrying: replay.endedAt === null && (replay.dryRunWanted ?? null) !== null,
    basis: dryRun ? { ...dryRun.basis } : null,
    approvalId: replay.approvalId,
    startedAt: at(replay.startedAt),
    halted: halted && { code: halted.code, detail: halted.detail, by: halted.by, at: instantOf(halted.at) },
    endedAt: at(replay.endedAt),
  };
}

type Counts = readonly {
  readonly state: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly letters: number;
}[];

/** Of the replay alone: `"7"`. With the counts of its letters, which change while it runs: `"7.0c1d2e3f"`. */
export function replayEtag({ version }: Pick<ReplayDocument, 'version'>, counts?: Counts): string {
  if (counts === undefined) return `"${version}"`;
  const lines = counts.map(({ state, outcome, reason, letters }) => [state, outcome, reason, letters].join(' '));
  return `"${version}.${hash('sha256', lines.toSorted().join('\n'), 'hex').slice(0, 8)}"`;
}

/** Of an ETag the version alone: what became of letters meanwhile makes it no other replay. */
export const replayVersionIn = (header: string | undefined): string | undefined =>
  header?.trim().replace(/^"(\d+)\.[0-9a-f]{8}"$/, '"$1"');
