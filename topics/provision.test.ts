import { describe, expect, it } from 'vitest';
import { consumers, topology } from '../processors/topology.ts';
import { contracts } from './catalogue.ts';
import { DEFAULT_MAX_MESSAGE_BYTES } from './contract.ts';
import { type ActualTopic, desired, plan } from './provision.ts';

const wanted = desired({ ...topology, ...consumers }, 4);
const asIs = (): ActualTopic[] => wanted.topics.map((topic) => ({ ...topic, replicationFactor: 1 }));
const change = (name: string, by: Partial<ActualTopic>) =>
  asIs().map((topic) => (topic.name === name ? { ...topic, ...by } : topic));

describe('the desired topics', () => {
  it('are every contract, and retry, replay and dead letters for every processor and consumer', () => {
    const names = wanted.topics.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name } of Object.values(contracts)) expect(names).toContain(name);
    for (const owner of [...Object.keys(topology), ...Object.keys(consumers)]) {
      for (const end of ['retry.5s', 'retry.60s', 'replay', 'dlq']) expect(names).toContain(`${owner}.${end}`);
    }
  });

  it('give every topic of the chain the same number of partitions', () => {
    const beside = new Set([
      'fx.rates',
      'fx.accepted-rates',
      'fx.rate-history',
      'reference.versions',
      'fx.jumps-accepted',
      'policy.versions',
      'limits.snapshots',
      'screening.list-activated',
      'screening.exception-revoked',
      'runtime.controls',
      'payout.attempts',
      'audit.entries',
      'audit.log',
      'audit.checkpoints',
      'analytics.watermark',
    ]);
    const counts = wanted.topics.filter(({ name }) => !beside.has(name)).map(({ partitions }) => partitions);
    expect(new Set(counts)).toEqual(new Set([4]));
  });

  it('let a dead letter hold whatever its source could, with its headers', () => {
    const limit = (name: string) => Number(wanted.topics.find((t) => t.name === name)!.config['max.message.bytes']);
    expect(limit('intake.dlq')).toBeGreaterThanOrEqual(limit('transfer.requested') + 65_536);
  });

  it('take what is written to them in one request: a limit is of a batch, not of a record', () => {
    const tight = wanted.topics.filter(({ config }) => Number(config['max.message.bytes']) < DEFAULT_MAX_MESSAGE_BYTES);
    // One checkpoint at a time.
    expect(tight.map(({ name }) => name)).toEqual(['audit.checkpoints']);
  });

  it('have the broker keep intents as they are packed, also where it packed them anew before', () => {
    const packed = wanted.topics.filter(({ config }) => config['compression.type'] !== undefined);
    expect(packed.map(({ name, config }) => [name, config['compression.type']])).toEqual([
      ['transfer.requested', 'producer'],
    ]);
    const { changes } = plan(wanted.topics, change('transfer.requested', { config: { 'compression.type': 'zstd' } }));
    expect(changes).toMatchObject([{ kind: 'alter-config', config: { 'compression.type': 'producer' } }]);
  });

  it('make each group read its topics and its retries, and never its dead letters', () => {
    const intake = wanted.groups.find(({ name }) => name === 'intake')!;
    expect(intake.topics).toEqual(['transfer.requested', 'intake.retry.5s', 'intake.retry.60s', 'intake.replay']);
  });
});

describe('the plan', () => {
  it('creates everything on an empty cluster, and nothing on one that has it', () => {
    expect(plan(wanted.topics, []).changes).toHaveLength(wanted.topics.length);
    expect(plan(wanted.topics, asIs())).toEqual({ changes: [], refusals: [] });
  });

  it('refuses another number of partitions: co-partitioning would break', () => {
    const { changes, refusals } = plan(wanted.topics, change('transfer.priced', { partitions: 8 }), {
      allowShrink: true,
    });
    expect(changes).toEqual([]);
    expect(refusals).toMatchObject([{ topic: 'transfer.priced', code: 'PARTITIONS_DIFFER' }]);
  });

  it('says how to go on when somebody raised one topic by hand, and does it then', () => {
    const byHand = change('transfer.requested', { partitions: 6 });
    const { refusals } = plan(wanted.topics, byHand);
    expect(refusals).toMatchObject([{ topic: 'transfer.requested', code: 'PARTITIONS_DIFFER' }]);
    expect(refusals[0]!.detail).toContain('CORRIDOR_CHAIN_PARTITIONS=6');
    const six = desired({ ...topology, ...consumers }, 6);
    const { changes, refusals: none } = plan(six.topics, byHand);
    expect(none).toEqual([]);
    const raised = changes.map((each) => (each.kind === 'add-partitions' ? each.topic : each.kind));
    const chain = six.topics.filter(({ partitions }) => partitions === 6).map(({ name }) => name);
    expect(raised.toSorted()).toEqual(chain.filter((name) => name !== 'transfer.requested').toSorted());
  });

  it('adds partitions downstream first: each stage can put out and aside what it takes in', () => {
    const six = desired({ ...topology, ...consumers }, 6);
    const order = plan(six.topics, asIs()).changes.map((each) => (each.kind === 'add-partitions' ? each.topic : ''));
    expect(order.at(-1)).toBe('transfer.requested');
    const chain = [
      'transfer.accepted',
      'transfer.screened',
      'transfer.priced',
      'transfer.reserved',
      'payout.requested',
      'transfer.completed',
    ];
    const places = chain.map((name) => order.indexOf(name));
    expect(places).toEqual(places.toSorted((one, other) => other - one));
    for (const owner of [...Object.keys(topology), ...Object.keys(consumers)]) {
      for (const end of ['retry.5s', 'retry.60s', 'replay', 'dlq']) {
        expect(order.indexOf(`${owner}.${end}`)).toBeLessThan(Math.min(...places));
      }
    }
    expect(order).not.toContain('fx.rates');
  });

  it('never lowers, and never touches the partitions of a table', () => {
    const two = desired({ ...topology, ...consumers }, 2);
    expect(plan(two.topics, asIs()).changes).toEqual([]);
    expect(plan(two.topics, asIs()).refusals[0]).toMatchObject({
      detail: expect.stringContaining('cannot be taken away'),
    });
    expect(plan(wanted.topics, change('fx.rates', { partitions: 3 })).refusals).toMatchObject([
      { topic: 'fx.rates', detail: expect.stringContaining('table') },
    ]);
  });

  it('lengthens retention, and shortens it only with the flag', () => {
    const of = (retention: string) => {
      const config = {
        ...wanted.topics.find(({ name }) => name === 'transfer.priced')!.config,
        'retention.ms': retention,
      };
      return change('transfer.priced', { config });
    };
    expect(plan(wanted.topics, of('1000')).changes).toMatchObject([{ kind: 'alter-config', topic: 'transfer.priced' }]);
    for (const longer of ['-1', '9999999999999']) {
      expect(plan(wanted.topics, of(longer)).refusals).toMatchObject([{ code: 'RETENTION_SHRINKS' }]);
      expect(plan(wanted.topics, of(longer), { allowShrink: true }).changes).toHaveLength(1);
    }
  });
});
