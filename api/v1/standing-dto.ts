// What stands still, and the status of the installation, as they are told.
import { z } from 'zod';
import type { Status } from '../../operations/status/status.ts';
import { STUCK_KINDS, type StuckBoard } from '../../operations/stuck/board.ts';
import { instant, instantOf, missingDto, missingOf, moneyDto, moneysOf, tallyDto, tallyOf } from './dto.ts';

const orNull = (at: number | null): string | null => (at === null ? null : instantOf(at));

const stuckLineDto = z
  .object({
    kind: z.enum(STUCK_KINDS),
    owner: z.string().describe('Processor, executor or sink.'),
    code: z.string().nullable().describe('Why; null: nobody has looked at them yet.'),
    since: instant.nullable().describe('The longest; null: not known.'),
    next: z.string().describe('Where to go on, as a command.'),
    count: z.int(),
    money: z.array(moneyDto),
    withoutAmount: z.int(),
  })
  .meta({ id: 'StuckLine', description: 'Transfers that do not go on, in one place for one reason.' });

export const stuckDto = z
  .object({
    items: z.array(stuckLineDto).describe('Kind by kind, the longest stuck first.'),
    total: tallyDto,
    unknownWithoutCase: z.int().describe('Payouts of unknown outcome that are no cases yet.'),
    isProven: z
      .boolean()
      .describe('False: this process has not the keys of stages, and says what records that wait say of themselves.'),
    complete: z.boolean(),
    missing: z.array(missingDto),
  })
  .meta({ id: 'Stuck' });

export const stuckOf = (board: StuckBoard): z.output<typeof stuckDto> => ({
  items: board.lines.map(({ kind, owner, code, since, next, count, money, withoutAmount }) => ({
    ...{ kind, owner, code, since: orNull(since), next: next.replaceAll('`', ''), count, withoutAmount },
    money: moneysOf(money),
  })),
  ...{ total: tallyOf(board.total), unknownWithoutCase: board.unknownWithoutCase, isProven: board.isProven },
  ...{ complete: board.complete, missing: missingOf(board.missing) },
});

const partDto = z.object({
  name: z.string(),
  state: z.string(),
  lag: z.int(),
  troubles: z.array(z.object({ dependency: z.string(), code: z.string(), since: instant })),
  paused: z.array(z.object({ topic: z.string(), partition: z.int(), code: z.string() })),
});

const processDto = z
  .object({
    url: z.string(),
    answers: z.boolean(),
    isLive: z.boolean(),
    isReady: z.boolean(),
    fault: z.string().nullable().describe('Code: why it was not heard.'),
    parts: z.array(partDto),
    standing: z.array(z.object({ name: z.string(), code: z.string(), since: instant, restarts: z.int() })),
  })
  .meta({ id: 'Process' });

const consumerDto = z
  .object({
    consumer: z.string(),
    records: z.int().describe('Those that it has still to handle.'),
    isAtMost: z.boolean().describe('Whether that counts offsets, of which a few are no records.'),
    oldestAt: instant.nullable(),
    oldestIn: z.string().nullable(),
    withoutOffset: z.int().describe('Partitions without an offset of its group.'),
  })
  .meta({ id: 'ConsumerLag' });

export const statusDto = z
  .object({
    at: instant,
    processes: z.array(processDto).describe('Those that CORRIDOR_HEALTH_URLS names.'),
    consumers: z.array(consumerDto),
    stuck: stuckDto.nullable(),
    cases: tallyDto
      .extend({ firstDueAt: instant.nullable(), complete: z.boolean() })
      .nullable()
      .describe('Open cases of all kinds.'),
    problems: z
      .array(z.object({ what: z.string(), code: z.string(), detail: z.string(), since: instant.nullable() }))
      .describe('What does not run as it should. What waits for people is not counted.'),
    complete: z.boolean(),
    missing: z.array(missingDto),
  })
  .meta({ id: 'Status' });

type StatusDto = z.output<typeof statusDto>;

export const statusOfInstallation = (status: Status): StatusDto => ({
  at: instantOf(status.at),
  processes: status.processes.map(processOf),
  consumers: status.consumers.map(({ consumer, records, isAtMost, oldestAt, oldestIn, withoutOffset }) => ({
    ...{ consumer, records, isAtMost, oldestAt: orNull(oldestAt), oldestIn, withoutOffset },
  })),
  stuck: status.stuck && stuckOf(status.stuck),
  cases: status.cases && {
    ...tallyOf(status.cases),
    ...{ firstDueAt: orNull(status.cases.firstDueAt), complete: status.cases.complete },
  },
  problems: status.problems.map(({ what, code, detail, since }) => ({ what, code, detail, since: orNull(since) })),
  ...{ complete: status.complete, missing: missingOf(status.missing) },
});

function processOf({ url, report, fault }: Status['processes'][number]): StatusDto['processes'][number] {
  const parts = (report?.parts ?? []).map(({ name, state, lag, troubles, paused }) => ({
    ...{ name, state, lag },
    troubles: troubles.map(({ dependency, code, since }) => ({ dependency, code, since: instantOf(since) })),
    paused: paused.map(({ topic, partition, code }) => ({ topic, partition, code })),
  }));
  const standing = (report?.standing ?? []).map(({ name, code, since, restarts }) => ({
    ...{ name, code, since: instantOf(since), restarts },
  }));
  const heard = { answers: report !== null, isLive: report?.live ?? false, isReady: report?.ready ?? false };
  return { url, ...heard, fault: fault?.code ?? null, parts, standing };
}
