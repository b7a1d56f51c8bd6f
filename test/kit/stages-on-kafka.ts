// Stages on a real broker, each topic with one partition: what integration tests of offsets and topics share.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { createLog } from '../../adapters/kafka/log.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import { type Failpoint, NO_FAILPOINT } from '../../ports/failpoint.ts';
import type { Log, LogRecord, OutputRecord } from '../../ports/log.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import { createProcessorHost, type ProcessorHostOptions } from '../../runtime/hosts/processor-host.ts';
import { silentLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { inputTopics, recoveryTopics } from '../../topics/recovery.ts';
import { memoryReplayClaims } from './memory-claims.ts';
import { memoryCodec } from './memory-codec.ts';
import { asIssued, testRings } from './rings.ts';

export type Owner = 'intake' | 'screening' | 'fx-pricing';

/** What a state is waited for. */
export const POLLING = { timeout: 120_000, interval: 200 };
const codec = memoryCodec();

/** A broker with the topics and offsets of some stages. To be closed. */
export class StagesOnKafka {
  readonly stack: LocalStack;
  readonly log: Log;
  readonly #app: string;
  readonly #running: Host[] = [];

  private constructor(app: string, stack: LocalStack, failpoint: Failpoint<string>) {
    this.#app = app;
    this.stack = stack;
    const brokers = stack.urls.kafkaBrokers;
    this.log = createLog({ brokers, appName: app, clientId: app, sessionTimeoutMs: 6_000, failpoint });
  }

  static async start(
    app: string,
    owners: readonly Owner[],
    failpoint: Failpoint<string> = NO_FAILPOINT,
  ): Promise<StagesOnKafka> {
    const stateDir = mkdtempSync(path.join(tmpdir(), `corridor-${app}-`));
    const stack = await startStack({ stateDir, ephemeral: true, kinds: ['kafka'], env: {} });
    const stages = new StagesOnKafka(app, stack, failpoint);
    const topics = new Set(['transfer.lifecycle', 'fx.position']);
    for (const owner of owners) {
      const { reads, writes } = topology[owner];
      for (const { name } of [...reads, ...writes, ...recoveryTopics(owner)]) topics.add(name);
    }
    await stages.create([...topics]);
    for (const owner of owners) await stages.apply(owner);
    return stages;
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((host) => host.stop(0)));
    await this.log.close();
    await this.stack.stop();
  }

  async withAdmin<T>(use: (admin: Awaited<ReturnType<Log['admin']>>) => Promise<T>): Promise<T> {
    const admin = await this.log.admin();
    return use(admin).finally(() => admin.close());
  }

  create(names: readonly string[]): Promise<void> {
    const config = { 'message.timestamp.type': 'LogAppendTime' };
    const specs = names.map((name) => ({ name, partitions: 1, replicationFactor: 1, config }));
    return this.withAdmin((admin) => admin.createTopics(specs));
  }

  /** Deletes a topic and makes it again, at once. */
  async makeAnew(topic: string): Promise<void> {
    await this.withAdmin((admin) => admin.deleteTopics([topic]));
    await vi.waitFor(() => this.create([topic]), POLLING);
  }

  /** What `corridor topics apply` does for a group. */
  apply(owner: Owner): Promise<void> {
    return this.withAdmin((admin) => {
      const reads = topology[owner].reads.map(({ name }) => name);
      return admin.initialiseOffsets(groupId(this.#app, owner), inputTopics(owner, reads));
    });
  }

  async started(processor: AnyProcessor, more: Partial<ProcessorHostOptions> = {}): Promise<Host> {
    const host = createProcessorHost({
      app: this.#app,
      log: this.log,
      codec,
      rings: testRings,
      logger: silentLogger,
      metrics: createMetrics(),
      chainPartitions: 1,
      maxBatchRecords: 20,
      lingerMs: 5,
      retry: [1, 0],
      replayClaims: memoryReplayClaims(),
      processor,
      ...more,
    });
    this.#running.push(host);
    host.failed.catch(() => undefined);
    await host.start();
    return host;
  }

  async send(records: readonly OutputRecord[]): Promise<void> {
    const writer = await this.log.writer('feed');
    await writer.send(records.map((record) => asIssued(record)));
    await writer.close();
  }

  async committed(topic: string): Promise<readonly LogRecord[]> {
    const reader = this.log.reader();
    const records: LogRecord[] = [];
    await reader.read(await reader.offsets([topic]), (batch) => void records.push(...batch.records));
    return records;
  }

  async keysOf(topic: string): Promise<readonly string[]> {
    return (await this.committed(topic)).map(({ key }) => String(key));
  }
}

export const idsOf = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);

export const recordOf = (topic: TopicName, key: string, value: unknown): OutputRecord => ({
  topic,
  partition: 0,
  key,
  value: codec.encode(topic, value as never),
  headers: {},
});
