// The count of open positions over the log and the database.
import { positionCounts } from '../adapters/mongo/position-counts.ts';
import { type Counted, countAndKeep, countOn, type PositionSources } from '../operations/positions/count.ts';
import { fxPosition } from '../topics/boundary.ts';
import type { Connections } from './connections.ts';

/** What counts it: the log as it is now. @throws CodedError of the log */
export async function positionSources({
  log,
  codec,
  config,
}: Pick<Connections, 'log' | 'codec' | 'config'>): Promise<PositionSources> {
  const admin = await log.admin();
  try {
    const [described] = await admin.describeTopics([fxPosition.name]);
    return { reader: log.reader(), codec, rings: config.keys, topicId: described?.topicId ?? fxPosition.name };
  } finally {
    await admin.close();
  }
}

/** Counts on from what is kept, and keeps it. @throws CodedError of the log, the registry and the database */
export async function countPositions(connections: Connections, maxOffsets: number): Promise<Counted> {
  const counts = positionCounts(await connections.db());
  return countAndKeep(await positionSources(connections), counts, { now: Date.now(), maxOffsets });
}

/**
 * As of now, and kept nowhere: from what is kept on, or from the start of the log.
 * @throws CodedError of the log, the registry and the database
 */
export async function positionsNow(connections: Connections, isFromStart: boolean): Promise<Counted> {
  const kept = isFromStart ? undefined : await positionCounts(await connections.db()).find();
  const sources = await positionSources(connections);
  return countOn(sources, kept, { now: Date.now(), maxOffsets: Number.MAX_SAFE_INTEGER });
}
