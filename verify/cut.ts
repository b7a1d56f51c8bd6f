// Where a verification stops reading. Committed offsets are taken first, ends of topics after them: what a group had
// handled by then is told by the log up to the cut, or (hidden behind a transaction that was open) right after it.

import { formatOrigin, parseOrigin } from '../domain/transfers/origin-position.ts';
import type { Codec } from '../ports/codec.ts';
import { groupId } from '../ports/consumer-groups/names.ts';
import { CodedError } from '../ports/fault.ts';
import type { Log, PartitionRange } from '../ports/log.ts';
import { pause } from '../ports/pause.ts';
import { ANALYTICS, RATE_HISTORY } from '../processors/topology.ts';
import type { TransferLifecycle } from '../schemas/types.generated.ts';
import { analyticsWatermark } from '../topics/boundary.ts';
import { HEADER, headerText } from '../topics/headers.ts';
import {
  ALL_TOPICS,
  CHAIN_TOPICS,
  CLAIM_TOPICS,
  GRAIN_TOPICS,
  groupTopics,
  INPUT_END_TOPICS,
  OWNERS,
} from './topics.ts';

export interface Cut {
  /** When the ends were taken, ms. */
  readonly takenAt: number;
  /** What this run reads, by topic. */
  readonly ranges: ReadonlyMap<string, readonly PartitionRange[]>;
  /** First offset that each partition still held, where that is above the one asked for. */
  readonly gaps: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly from: number;
    readonly start: number;
  }[];
  /** Number of chain partitions. */
  readonly partitions: number;
  /** The broker's id of each topic; none where it gives none. */
  readonly topicIds: ReadonlyMap<string, string>;
  /** Whether the group had committed a position beyond this record when the cut was taken. */
  readonly isHandled: (owner: string, topic: string, partition: number, offset: number) => boolean;
}

/** Whether a position speaks of the topic that there is now: by its id, or by its name. One made anew has another id. */
export function isOfTopic({ topicIds }: Pick<Cut, 'topicIds'>, topic: string, topicId: string): boolean {
  const id = topicIds.get(topic);
  return id === undefined || topicId === id || topicId === topic;
}

/** Offsets to go on from, by topic and partition. */
export type Offsets = Readonly<Record<string, Readonly<Record<number, number>>>>;

/** Claims of what was handled: taken before it is asked what was, and always whole, since it is compacted. */
const WATERMARK = 'analytics.watermark';

/** Downstream topics first: then the cause of whatever is within the cut is within it too. */
const ENDS_IN_ORDER = [
  GRAIN_TOPICS,
  CHAIN_TOPICS.filter((topic) => !GRAIN_TOPICS.includes(topic)),
  CLAIM_TOPICS.filter((topic) => topic !== WATERMARK),
  INPUT_END_TOPICS,
  ['transfer.requested'],
];

export async function takeCut(log: Log, app: string, from: Offsets = {}): Promise<Cut> {
  const admin = await log.admin();
  try {
    const watermarks = (await log.reader().offsets([WATERMARK])).filter(({ partition }) => partition === 0);
    const committed = await committedOffsets(admin, app);
    const described = await admin.describeTopics(ALL_TOPICS);
    const takenAt = Date.now();
    const ranges = new Map<string, readonly PartitionRange[]>([[WATERMARK, watermarks]]);
    const gaps: { topic: string; partition: number; from: number; start: number }[] = [];
    for (const topics of ENDS_IN_ORDER) {
      for (const range of await log.reader().offsets(topics)) {
        const { topic, partition, from: start, to } = range;
        const wanted = from[topic]?.[partition] ?? 0;
        if (wanted > to) throw rewound(topic, partition, wanted, to);
        if (start > wanted) gaps.push({ topic, partition, from: wanted, start });
        const known = ranges.get(topic) ?? [];
        ranges.set(topic, [...known, { topic, partition, from: Math.max(start, wanted), to }]);
      }
    }
    const chain = ranges.get('transfer.accepted') ?? [];
    return {
      takenAt,
      ranges,
      gaps,
      partitions: chain.length,
      topicIds: new Map(described.flatMap(({ name, topicId }) => (topicId === undefined ? [] : [[name, topicId]]))),
      isHandled: (owner, topic, partition, offset) => (committed.get(`${owner}/${topic}/${partition}`) ?? 0) > offset,
    };
  } finally {
    await admin.close();
  }
}

function rewound(topic: string, partition: number, wanted: number, to: number): CodedError {
  const detail = `${topic}/${partition} ends at ${to}, before ${wanted} of the checkpoint: it is of another log`;
  return new CodedError('CHECKPOINT_AHEAD', detail, { faultClass: 'fatal' });
}

async function committedOffsets(
  admin: Awaited<ReturnType<Log['admin']>>,
  app: string,
): Promise<ReadonlyMap<string, number>> {
  const committed = new Map<string, number>();
  const groups = [
    ...OWNERS.map((owner) => [owner.name, groupTopics(owner)] as const),
    [ANALYTICS, ['transfer.lifecycle']] as const,
    [RATE_HISTORY, ['fx.rates']] as const,
  ];
  for (const [name, topics] of groups) {
    for (const { topic, partition, offset } of await admin.committed(groupId(app, name), topics)) {
      committed.set(`${name}/${topic}/${partition}`, offset ?? 0);
    }
  }
  return committed;
}

export interface QuietOptions {
  /** No record may come in for this long, ms. */
  readonly forMs: number;
  /** Gives up after this long, ms. */
  readonly timeoutMs: number;
  readonly onProgress?: (detail: string) => void;
}

/**
 * Waits until nothing is written any more. Watermarks do not count: they are written because nothing else is.
 * @throws CodedError NOT_QUIET
 */
export async function waitQuiet(log: Log, { forMs, timeoutMs, onProgress }: QuietOptions): Promise<void> {
  const topics = ALL_TOPICS.filter((topic) => topic !== analyticsWatermark.name);
  const stepMs = Math.min(500, Math.max(1, forMs / 4));
  const startedAt = performance.now();
  let ends = '';
  let since = startedAt;
  for (;;) {
    const now = (await log.reader().offsets(topics)).map(({ to }) => to).join();
    if (now !== ends) since = performance.now();
    ends = now;
    if (performance.now() - since >= forMs) return;
    if (performance.now() - startedAt > timeoutMs) {
      throw new CodedError(
        'NOT_QUIET',
        `records still come in after ${timeoutMs} ms: verify without waiting for quiet`,
        {
          faultClass: 'fatal',
        },
      );
    }
    onProgress?.(`waiting until nothing is written for ${forMs} ms`);
    await pause(stepMs);
  }
}

/**
 * What has moved since the cut: transfers, origin positions and customer tokens that later records are about. Ends
 * are taken `settleMs` after the cut at the earliest, so that no transaction of before it can still be open.
 */
export async function movedSince(cut: Cut, log: Log, codec: Codec, settleMs: number): Promise<ReadonlySet<string>> {
  await pause(cut.takenAt + settleMs - Date.now());
  const moved = new Set<string>();
  const reader = log.reader();
  const ends = await reader.offsets(ALL_TOPICS);
  const tail = ends.map(({ topic, partition, to }) => {
    const cutAt = cut.ranges.get(topic)?.find((range) => range.partition === partition)?.to ?? 0;
    return { topic, partition, from: cutAt, to };
  });
  await reader.read(tail, async ({ topic, records }) => {
    for (const { key, headers } of records) {
      if (key !== null) moved.add(key.toString('utf8'));
      const origin = parseOrigin(headerText(headers, HEADER.originPosition) ?? '');
      // An input is called by the name of its topic, under whatever id records name it.
      if (origin !== undefined) moved.add(formatOrigin({ ...origin, topicId: 'transfer.requested' }));
    }
    if (topic !== 'transfer.lifecycle') return;
    const values = records.map(({ value }) => value);
    for (const result of await codec.decode(topic, values)) {
      if (result.ok) moved.add((result.value as TransferLifecycle).debtorToken);
    }
  });
  return moved;
}
