import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import type { Processor } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import { accepted } from '../../test/kit/events.ts';
import { append, input } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { createProcessorHost } from '../hosts/processor-host.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';

function captured() {
  const chunks: string[] = [];
  const destination = new Writable({
    write(chunk, _, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const logger = createLogger({ level: 'debug', service: 'test', destination });
  const text = () => chunks.join('');
  const lines = () =>
    text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, text, lines };
}

describe('log lines', () => {
  it('are JSON with level, time, service and what is allowed', () => {
    const { logger, lines } = captured();
    logger
      .child({ stage: 'limits' })
      .info({ transferId: 'transfer-0001', topic: 'transfer.priced', partition: 2, offset: 7 }, 'done');
    expect(lines()[0]).toMatchObject({
      level: 'info',
      service: 'test',
      stage: 'limits',
      transferId: 'transfer-0001',
      topic: 'transfer.priced',
      partition: 2,
      offset: 7,
      msg: 'done',
    });
  });

  it('drop every other field, and say which', () => {
    const { logger, text, lines } = captured();
    const fields: object = { value: accepted(), customer: 'Ada Example', partition: 'Ada' };
    logger.warn(fields, 'odd');
    expect(text()).not.toContain('Ada');
    expect(lines()[0]).toMatchObject({ dropped: ['value', 'customer', 'partition'] });
  });

  it('drop allowed fields that have not the shape of theirs', () => {
    const { logger, text } = captured();
    logger.info({ transferId: 'Ada Example', topic: 'x y', code: 'GB33 BUKB 2020' }, 'odd');
    expect(text()).not.toMatch(/Ada|GB33|x y/);
  });

  it('write no message of errors that nobody coded: it may quote a record', () => {
    const { logger, text, lines } = captured();
    logger.error({ err: new TypeError('cannot read "Ada Example"') }, 'broken');
    expect(text()).not.toContain('Ada');
    expect(lines()[0]!['err']).toMatchObject({ type: 'TypeError', code: 'UNEXPECTED_ERROR' });
    logger.error({ err: new CodedError('MONGO_UNAVAILABLE', 'no primary') }, 'down');
    expect(lines()[1]!['err']).toMatchObject({ code: 'MONGO_UNAVAILABLE', detail: 'no primary' });
  });
});

describe('personal data planted in records', () => {
  const planted = ['Zelda Plantagenet', 'GB29NWBK60161331926819', 'planted-customer', '3 Planted Road'];
  const debtor = {
    name: planted[0]!,
    account: { scheme: 'IBAN', value: planted[1]!, agent: null },
    customerId: planted[2]!,
    address: planted[3]!,
  };
  const clock = new ManualClock();

  it.each(['throws', 'retries', 'dead-letters', 'is down', 'stops'])(
    'never reaches the log of a processor that %s',
    async (how) => {
      const { logger, text } = captured();
      const log = new MemoryLog({ clock, manual: true });
      const codec = memoryCodec();
      const cause = { code: 'RATE_STALE', detail: 'x' } as const;
      const processor: Processor<Topology['screening'], undefined> = {
        name: 'screening',
        edges: topology.screening,
        async prepare(batch) {
          if (how === 'is down') {
            throw new CodedError('MONGO_UNAVAILABLE', 'down', {
              faultClass: 'transient-dependency',
              dependency: 'mongo',
            });
          }
          return batch.map(() => undefined);
        },
        decide(received) {
          if (how === 'retries') return { kind: 'retry', cause };
          if (how === 'stops') return { kind: 'stop', cause };
          if (how === 'dead-letters') return { kind: 'dead-letter', cause };
          throw new Error(`cannot screen ${JSON.stringify((received.value as { parties: unknown }).parties)}`);
        },
      };
      append(log, codec, input('transfer.accepted', accepted({ debtor })));
      append(log, codec, {
        topic: 'transfer.accepted',
        bytes: Buffer.from(planted.join()),
        key: planted[0]!,
        partition: 0,
      });
      const metrics = createMetrics();
      const host = createProcessorHost({
        replayClaims: memoryReplayClaims(),
        processor,
        app: 'corridor',
        log,
        codec,
        rings: testRings,
        clock,
        logger,
        metrics,
        chainPartitions: 4,
        maxBatchRecords: 10,
        lingerMs: 0,
        retry: [0, 0],
      });
      await host.start();
      await log.consumers[0]!.step();
      const health = JSON.stringify(host.health());
      await host.stop(0);
      expect(text().split('\n').length).toBeGreaterThan(2);
      const headers = JSON.stringify(
        log.all('screening.dlq').map((record) => Object.values(record.headers).map(String)),
      );
      const everything = `${text()}${health}${headers}${await metrics.registry.metrics()}`;
      for (const secret of planted) expect(everything).not.toContain(secret);
    },
  );
});
