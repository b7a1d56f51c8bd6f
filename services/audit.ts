// The audit log as a process uses it: its keys, and the way into it.
import type { SigningKey, VerifyKey } from '../domain/audit/signed-note.ts';
import { type EntryLog, entryLog } from '../operations/audit/entry-log.ts';
import type { Config } from '../runtime/config/config.ts';
import type { Logger } from '../runtime/logs-and-metrics/logger.ts';
import type { Metrics } from '../runtime/logs-and-metrics/metrics.ts';
import type { TopicName } from '../topics/catalogue.ts';
import type { Connections } from './connections.ts';

export const AUDIT_TOPICS = ['audit.entries', 'audit.log', 'audit.checkpoints'] as const satisfies readonly TopicName[];

/** Public keys by which checkpoints are checked: those that are configured, and those of the signing keys, if any. */
export function auditKeys({ audit }: Config): readonly VerifyKey[] {
  const own = (audit.signingKeys ?? []).map(({ verifies }: SigningKey) => verifies);
  const all = [...own, ...(audit.publicKeys ?? [])];
  return [...new Map(all.map((key) => [key.text, key])).values()];
}

/** Who hears what waits and what is lost. */
export interface AuditReports {
  readonly logger?: Pick<Logger, 'warn' | 'error'>;
  readonly metrics?: Pick<Metrics, 'auditWaiting' | 'auditLost'>;
}

/**
 * The way into the audit log for one program. Close it before the connections.
 * @throws CodedError when the registry is away
 */
export async function openAudit(
  connections: Connections,
  program: string,
  { logger, metrics }: AuditReports = {},
): Promise<EntryLog> {
  const { codec, log, config } = connections;
  await codec.load(['audit.entries']);
  const writer = await log.writer(`${program}-audit`);
  const entries = entryLog({
    program,
    codec,
    writer,
    rings: config.keys,
    onFault: (code, detail) => logger?.warn({ stage: 'audit', code, detail }, 'an entry of the audit log waits'),
    onWaiting: (count) => metrics?.auditWaiting.set(count),
    onLost: (count) => {
      metrics?.auditLost.inc(count);
      logger?.error({ stage: 'audit', code: 'AUDIT_ENTRIES_LOST', count }, 'entries of the audit log were lost');
    },
  });
  return {
    ...entries,
    async close(deadlineMs) {
      const isAll = await entries.close(deadlineMs);
      await writer.close();
      return isAll;
    },
  };
}
