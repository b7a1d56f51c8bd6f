// What a process tells analysts of what it goes by: once, again after a death, with its end when something else counts.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import { LIMIT_RULES } from '../domain/limits/limit-rules.ts';
import { canonicalJson } from '../operations/approvals/acts.ts';
import { hashOfPolicy } from '../operations/policies/versions.ts';
import { recordMaker } from '../ports/records.ts';
import { sealFlaw } from '../ports/seals.ts';
import { loadConfig } from '../runtime/config/config.ts';
import type { PolicyVersion, ReferenceVersion, ScreeningListActivated } from '../schemas/types.generated.ts';
import { ManualClock } from '../test/kit/manual-clock.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { policyVersions, screeningListActivated } from '../topics/boundary.ts';
import { type ReferenceGroup, tellVersions } from './reference-versions.ts';

const TOPIC = 'reference.versions';
const RULES = JSON.parse(readFileSync(new URL('../processors/limits/example-rules.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

class World {
  readonly clock = new ManualClock(1_000_000);
  readonly codec = memoryCodec();
  readonly log = new MemoryLog({ partitions: 1, clock: this.clock });
  readonly parts = {
    ...{ log: this.log, codec: this.codec },
    config: { ...loadConfig({ CORRIDOR_ENV: 'development' }), keys: testRings as never },
  };

  tell(isFirst: boolean, ...groups: readonly ReferenceGroup[]): Promise<readonly ReferenceVersion[]> {
    return tellVersions(this.parts, groups, { isFirst, now: this.clock.now() });
  }

  async policy(version: number, by = 'ben', over: Partial<PolicyVersion> = {}): Promise<void> {
    const content = canonicalJson(RULES);
    const value = {
      ...{ kind: 'limits', version, content, contentHash: hashOfPolicy(content), validFrom: 0, activatedAt: 0 },
      ...{ askedBy: 'asha', approvedBy: by, approvalId: `a-${version}`, reason: 'why not', ...over },
    };
    await this.codec.load([policyVersions.name]);
    const make = recordMaker({ owner: 'test', writes: [policyVersions], codec: this.codec, rings: testRings });
    this.log.append([make(policyVersions.name, value, { partition: 0 })]);
  }

  async activate(activation: number, versionId: string): Promise<void> {
    const list = { source: 'UN', versionId, publishedOn: '2026-11-01', contentHash: 'c', activation };
    const value: ScreeningListActivated = {
      ...{ list, entities: 1, names: 2, activatedAt: this.clock.now(), activatedBy: 'somebody' },
    };
    await this.codec.load([screeningListActivated.name]);
    const make = recordMaker({ owner: 'test', writes: [screeningListActivated], codec: this.codec, rings: testRings });
    this.log.append([make(screeningListActivated.name, value, { partition: 0 })]);
  }

  /** The last of each key, as a reader of the compacted topic has them. */
  async rows(): Promise<ReadonlyMap<string, ReferenceVersion>> {
    const records = this.log.all(TOPIC).filter((record) => sealFlaw(testRings, TOPIC, record) === undefined);
    const decoded = await this.codec.decode(
      TOPIC,
      records.map(({ value }) => value),
    );
    return new Map(decoded.flatMap((each) => (each.ok ? [[each.value.versionId, each.value]] : [])));
  }
}

const ALL = ['corridors', 'terms', 'limits', 'provider', 'lists'] as const;

it('tells what a configuration says at the start, and nothing again', async () => {
  const world = new World();
  const first = await world.tell(true, ...ALL);
  const of = (kind: string) => first.filter((each) => each.kind === kind);
  expect(of('CORRIDOR').map(({ id }) => id)).toEqual(CORRIDORS.map(({ id }) => id));
  expect(of('MARGIN').map(({ bps }) => bps)).toEqual(CORRIDORS.map(({ marginBps }) => marginBps));
  expect(of('LIMIT_RULE').map(({ id }) => id)).toEqual(LIMIT_RULES.map(({ ruleId }) => ruleId));
  expect(of('PROVIDER')).toHaveLength(1);
  for (const { validFrom, validTo } of first) expect([validFrom, validTo]).toEqual([world.clock.now(), null]);
  world.clock.advance(1_000);
  expect(await world.tell(true, ...ALL)).toEqual([]);
  expect(await world.tell(false, ...ALL)).toEqual([]);
});

it('ends what the configuration says where a policy begins, and each version where a higher one does', async () => {
  const world = new World();
  await world.tell(true, 'limits');
  world.clock.advance(60_000);
  const begun = world.clock.now();
  await world.policy(1);
  // Of one person alone: law to nobody, and no version.
  await world.policy(2, 'asha');
  await world.tell(false, 'limits');
  const name = `${RULES.name}@${RULES.version}`;
  const rows = [...(await world.rows()).values()];
  const configured = rows.filter(({ policyVersion }) => policyVersion === null);
  expect(configured).toHaveLength(LIMIT_RULES.length);
  expect(new Set(configured.map(({ validTo }) => validTo))).toEqual(new Set([begun]));
  const inForce = rows.filter(({ policyVersion }) => policyVersion !== null);
  expect(new Set(inForce.map(({ version, validFrom, validTo }) => `${version} ${validFrom} ${validTo}`))).toEqual(
    new Set([`${name}#1 ${begun} null`]),
  );
  world.clock.advance(60_000);
  await world.policy(3, 'ben', { validFrom: world.clock.now() + 5_000 });
  await world.tell(false, 'limits');
  const [rule] = inForce;
  const spans = [...(await world.rows()).values()].filter(({ id, policyVersion }) => id === rule!.id && policyVersion);
  expect(spans.map(({ policyVersion, validFrom, validTo }) => [policyVersion, validFrom, validTo])).toEqual([
    [1, begun, world.clock.now() + 5_000],
    [3, world.clock.now() + 5_000, null],
  ]);
  // A process that begins now goes by the policy: its configuration is no news.
  expect(await world.tell(true, 'limits')).toEqual([]);
});

it('goes on where it died, believes no record of a stranger, and says nothing of who did what', async () => {
  const world = new World();
  await world.activate(1, 'a');
  world.clock.advance(1_000);
  await world.activate(2, 'b');
  await world.tell(true, 'lists');
  const whole = await world.rows();
  expect([...whole.values()].map(({ version, validFrom, validTo }) => [version, validFrom, validTo])).toEqual([
    ['a', 1_000_000, 1_001_000],
    ['b', 1_001_000, null],
  ]);
  expect(JSON.stringify([...whole.values()].map((row) => ({ ...row, limitMinor: null })))).not.toContain('somebody');

  const died = new World();
  await died.activate(1, 'a');
  died.clock.advance(1_000);
  await died.activate(2, 'b');
  const [first] = [...whole.values()];
  const value = died.codec.encode(TOPIC, { ...first!, version: 'forged', validTo: null });
  died.log.append([{ topic: TOPIC, partition: 0, key: first!.versionId, value, headers: {} }]);
  const make = recordMaker({ owner: 'test', writes: [{ name: TOPIC }], codec: died.codec, rings: testRings });
  died.log.append([make(TOPIC, first!, { partition: 0 })]);
  await died.tell(false, 'lists');
  expect(await died.rows()).toEqual(whole);
});

it('ends what it goes by where a version begins that it cannot read', async () => {
  const world = new World();
  await world.tell(true, 'limits');
  await world.policy(1);
  world.clock.advance(60_000);
  const content = canonicalJson({ form: 'of a newer release' });
  await world.policy(2, 'ben', { content, contentHash: hashOfPolicy(content) });
  await world.tell(false, 'limits');
  const rows = [...(await world.rows()).values()];
  expect(new Set(rows.map(({ policyVersion, validTo }) => `${policyVersion} ${validTo}`))).toEqual(
    new Set(['null 1000000', '1 1060000']),
  );
});

it('tells again what a stranger hid, and what a copy of an earlier record opened again', async () => {
  const world = new World();
  await world.tell(true, 'limits');
  const copies = world.log.all(TOPIC).map(({ key, value, headers }) => ({
    ...{ topic: TOPIC, partition: 0, key: key!.toString('utf8'), value: value! },
    headers: headers as Record<string, Buffer>,
  }));
  world.clock.advance(60_000);
  await world.policy(1);
  await world.tell(false, 'limits');
  const whole = await world.rows();
  world.log.append(copies.slice(0, 1));
  world.log.append([{ ...copies[1]!, value: Buffer.from('garbage'), headers: {} }]);
  expect(await world.rows()).not.toEqual(whole);
  const recorded = await world.tell(false, 'limits');
  expect(recorded.map(({ versionId }) => versionId)).toEqual(copies.slice(0, 2).map(({ key }) => key));
  expect(await world.rows()).toEqual(whole);
  expect(await world.tell(true, 'limits')).toEqual([]);
});
