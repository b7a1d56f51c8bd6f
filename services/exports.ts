// Exports for analysts with their adapters: where one goes to, a folder or a bucket, and what it reads.
import path from 'node:path';
import { exportFolder } from '../adapters/files/export-folder.ts';
import { exportBucket } from '../adapters/object-storage/export-bucket.ts';
import { s3Store } from '../adapters/object-storage/s3-store.ts';
import {
  EXPORTED,
  type ExportedPartition,
  type ExportOptions,
  exportAnalytics,
} from '../operations/analytics/export.ts';
import type { ExportFolder } from '../operations/analytics/ports.ts';
import { CodedError } from '../ports/fault.ts';
import { fileLock, LockHeld } from '../ports/file-lock.ts';
import type { Log } from '../ports/log.ts';
import type { Config } from '../runtime/config/config.ts';
import type { TopicName } from '../topics/catalogue.ts';
import type { Connections } from './connections.ts';

export interface OpenTarget {
  readonly folder: ExportFolder;
  close(): void;
}

/** Another export of a folder is waited for so long, ms: longer than a lock that was half written by one that died counts. */
const LOCK_TIMEOUT_MS = 15_000;
/** Names of buckets as S3 has them; a prefix is of plain characters, so that it is one in every tool. */
const BUCKET =
  /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/((?:[A-Za-z0-9_.=-]{1,100}\/){0,9}[A-Za-z0-9_.=-]{1,100}))?\/?$/;

/**
 * A folder, for this process alone until it is closed, or `s3://bucket/prefix`, of which whoever began last is believed.
 * @throws CodedError EXPORT_BUSY, EXPORT_TARGET_MISSING, OPTION_INVALID
 */
export async function openTarget(
  target: string,
  { objectStorage }: Pick<Config, 'objectStorage'>,
): Promise<OpenTarget> {
  if (!target.includes('://')) {
    const lock = await fileLock(path.join(target, '_lock'), { timeoutMs: LOCK_TIMEOUT_MS }).catch((error: unknown) => {
      throw error instanceof LockHeld ? new CodedError('EXPORT_BUSY', `another export writes to ${target}`) : error;
    });
    return { folder: exportFolder(target), close: () => lock[Symbol.dispose]() };
  }
  const [, bucket, prefix] = BUCKET.exec(target) ?? [];
  if (bucket === undefined)
    throw new CodedError('OPTION_INVALID', `${target} is neither a folder nor s3://bucket or s3://bucket/prefix`);
  const { accessKeyId, secretAccessKey, sessionToken, ...place } = objectStorage;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new CodedError('EXPORT_TARGET_MISSING', 'CORRIDOR_S3_ACCESS_KEY_ID and its secret are not set');
  const store = s3Store(bucket, { ...place, credentials: { accessKeyId, secretAccessKey, sessionToken } });
  return { folder: exportBucket(store, prefix === undefined ? '' : `${prefix}/`), close: store.close };
}

/** Where a process exports to by itself. @throws CodedError EXPORT_TARGET_MISSING */
export function requireTarget({ analytics }: Pick<Config, 'analytics'>): string {
  if (analytics.exportTo !== undefined) return analytics.exportTo;
  throw new CodedError('EXPORT_TARGET_MISSING', 'CORRIDOR_ANALYTICS_EXPORT_TO is not set', { faultClass: 'fatal' });
}

/** Adds what is new. @throws CodedError as `exportAnalytics` */
export async function runExport(
  { log, codec, config }: Pick<Connections, 'log' | 'codec' | 'config'>,
  folder: ExportFolder,
  options: ExportOptions,
): Promise<readonly ExportedPartition[]> {
  const topics = EXPORTED.map(({ topic }) => topic as TopicName);
  await codec.load(topics);
  const topicIds = await topicIdsOf(log, topics);
  return exportAnalytics({ reader: log.reader(), codec, rings: config.keys, topicIds }, folder, options);
}

export async function topicIdsOf(log: Log, topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const admin = await log.admin();
  try {
    const described = await admin.describeTopics(topics);
    return new Map(described.flatMap(({ name, topicId }) => (topicId === undefined ? [] : [[name, topicId]])));
  } finally {
    await admin.close();
  }
}
