// A policy changes by two persons, from exactly the version that they saw, and of two at once one wins.
import { expect, it } from 'vitest';
import { BUILT_IN_LIMITS, type LimitRule, type LimitRuleSet } from '../../domain/limits/limit-rules.ts';
import { testRings } from '../../test/kit/rings.ts';
import { principalOf } from '../access/principal.ts';
import { canonicalJson } from '../approvals/acts.ts';
import { decideApproval } from '../approvals/approvals.ts';
import { describeApproval, executeApproval } from '../approvals/execute.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { activatePolicyHandler, askToActivatePolicy, type PolicyAsked } from './activate.ts';
import { limitsPolicy } from './limits.ts';
import type { PolicyBook } from './ports.ts';
import { memoryPolicies } from './testing/memory-policies.ts';
import { comparePolicies, listPolicies, showPolicy } from './versions.ts';

const NOW = Date.UTC(2026, 11, 1);
const HOUR = 3_600_000;
const operators = testRings.operators!;
const [asha, ben] = [
  principalOf('Asha', ['compliance'], { credential: 'token' }),
  principalOf('Ben', ['approver'], { credential: 'token' }),
];

const [FIRST] = BUILT_IN_LIMITS.rules as readonly [LimitRule];
/** A set as its file says it. */
const file = (version: string, ...rules: readonly Partial<LimitRule>[]) =>
  JSON.parse(
    canonicalJson({
      ...{ name: 'house', version, note: '' },
      rules: rules.map((rule) => ({ ...FIRST, ...rule })),
    }),
  ) as Record<string, unknown>;

function world(configured: LimitRuleSet = BUILT_IN_LIMITS) {
  let now = NOW;
  const log = memoryPolicies(() => now);
  const limits = limitsPolicy(
    () => configured,
    () => ['GB-IN'],
  );
  const kinds = new Map([[limits.kind, limits]]) as PolicyBook;
  const approvals = memoryApprovals();
  const handlers = { 'policy.activate': activatePolicyHandler({ log, kinds }) };
  let ids = 0;
  const ask = (over: Partial<PolicyAsked> = {}) =>
    askToActivatePolicy(
      { log, kinds, approvals },
      {
        ...{ id: `approval-${++ids}`, kind: 'limits', content: file('1', {}), validFrom: null, fromVersion: 0 },
        ...{ by: asha, reason: 'as decided', at: new Date(now), ...over },
      },
      operators,
    );
  const approve = async (id: string, by = ben) => {
    const { hash } = approvals.all.get(id)!;
    await decideApproval(
      approvals,
      { id, hash, verdict: 'APPROVED', by, reason: 'so it is', at: new Date(now) },
      operators,
    );
  };
  const execute = (id: string) => executeApproval(approvals, id, { handlers, operators, at: new Date(now) });
  const activate = async (over: Partial<PolicyAsked> = {}) => {
    const { _id } = await ask(over);
    await approve(_id);
    return execute(_id);
  };
  const list = async () => (await listPolicies(kinds, log, { now }))[0]!;
  const pass = (ms: number) => {
    now += ms;
  };
  return { log, kinds, approvals, handlers, ask, approve, execute, activate, list, pass };
}
const code = (expected: string, message = /./) =>
  expect.objectContaining({ code: expected, message: expect.stringMatching(message) });

it('is what the configuration holds, until a version is put in force', async () => {
  const { list, activate } = world();
  expect(await list()).toMatchObject({ inForce: 0, name: 'built-in@1', last: 0, versions: [] });
  expect(await activate()).toMatchObject({ state: 'EXECUTED', ended: { detail: 'version 1 of limits is in the log' } });
  expect(await list()).toMatchObject({
    ...{ inForce: 1, name: 'house@1', last: 1 },
    versions: [{ version: 1, state: 'IN_FORCE', askedBy: 'Asha', approvedBy: 'Ben', approvalId: 'approval-1' }],
  });
});

it('is shown to who approves as what it changes, rule by rule', async () => {
  const { ask, approvals, handlers } = world();
  const [, second] = BUILT_IN_LIMITS.rules as readonly [LimitRule, LimitRule];
  const content = file('1', { limitMinor: 500n }, { ...second, ruleId: 'another-id' });
  await ask({ content, validFrom: NOW + HOUR });
  const lines = await describeApproval(approvals.all.get('approval-1')!, handlers, operators);
  expect(lines.slice(0, 3)).toEqual([
    expect.stringMatching(/^put house@1 in force as version 1 of limits, SHA-256 [0-9a-f]{64}$/),
    'in place of what the configuration holds',
    'from 2026-12-01T01:00:00.000Z on',
  ]);
  expect(lines).toContain(`~ ${FIRST.ruleId}.limitMinor: "${FIRST.limitMinor}" -> "500"`);
  expect(lines.filter((line) => line.startsWith('+ another-id: '))).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(BUILT_IN_LIMITS.rules.length - 1);
});

it('takes two persons, who both may', async () => {
  const { ask, approve, execute, log } = world();
  await expect(ask({ by: principalOf('Otto', ['operator'], { credential: 'token' }) })).rejects.toThrow(
    code('ACTION_FORBIDDEN'),
  );
  const { _id } = await ask();
  await expect(approve(_id, principalOf('asha', ['approver'], { credential: 'token' }))).rejects.toThrow(
    code('SECOND_PERSON_NEEDED'),
  );
  await expect(approve(_id, principalOf('Otto', ['admin'], { credential: 'token' }))).rejects.toThrow(
    code('ACTION_FORBIDDEN'),
  );
  await expect(execute(_id)).rejects.toThrow(code('APPROVAL_MOVED'));
  expect(log.records).toEqual([]);
});

it.each([
  ['a key that is not known', { ...file('1', {}), more: 1 }, /Unrecognized key/],
  ['a rule twice', file('1', {}, {}), /is there twice/],
  ['a corridor that is not there', file('1', { where: { corridors: ['GB-XX'] } }), /there is no corridor GB-XX/],
  [
    'an id that counted something else',
    file('1', { window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Kolkata' } }),
    /counted something else in built-in@1/,
  ],
  ['what is too long', { ...file('1', {}), note: 'x'.repeat(60_000) }, /longer than 48000 characters/],
  ['no object', [] as never, /./],
])('refuses %s', async (_, content, message) => {
  const { ask, log } = world();
  await expect(ask({ content })).rejects.toThrow(code('POLICY_INVALID', message));
  expect(log.records).toEqual([]);
});

it('refuses an id that counted something else in any version before, also one that was overtaken', async () => {
  const { activate, ask } = world();
  await activate({ content: file('1', { ruleId: 'mine', metric: { kind: 'count' } }), validFrom: NOW + HOUR });
  await activate({ content: file('2', {}), fromVersion: 1 });
  await expect(ask({ content: file('3', { ruleId: 'mine' }), fromVersion: 2 })).rejects.toThrow(
    code('POLICY_INVALID', /mine counted something else in house@1/),
  );
  await ask({ content: file('3', { ruleId: 'mine', metric: { kind: 'count' }, limitMinor: 3n }), fromVersion: 2 });
});

it('refuses other rules under a name that is taken, and a version that changes nothing', async () => {
  const { activate, ask } = world();
  await activate();
  const other = file('1', { limitMinor: 7n });
  await expect(ask({ content: other, fromVersion: 1 })).rejects.toThrow(code('POLICY_INVALID', /raise its version/));
  await expect(ask({ fromVersion: 1 })).rejects.toThrow(code('POLICY_INVALID', /says exactly that/));
});

it('rolls back by an old content, put in force anew', async () => {
  const { activate, list, log, kinds } = world();
  await activate();
  await activate({ content: file('2', { limitMinor: 7n }), fromVersion: 1 });
  const { content } = await showPolicy(kinds, log, { kind: 'limits', version: 1, now: NOW });
  await activate({ content, fromVersion: 2 });
  expect(await list()).toMatchObject({ inForce: 3, name: 'house@1', last: 3 });
  expect((await list()).versions.map(({ state }) => state)).toEqual(['IN_FORCE', 'NEVER', 'NEVER']);
  expect(await comparePolicies(kinds, log, { kind: 'limits', from: 1, to: 3 })).toEqual([]);
  expect(await comparePolicies(kinds, log, { kind: 'limits', from: 3, to: 2 })).toHaveLength(1);
});

it('counts from its day on, which a later version may come before', async () => {
  const { activate, list, pass } = world();
  await activate({ validFrom: NOW + 2 * HOUR });
  expect((await list()).versions.map(({ state }) => state)).toEqual(['COMING']);
  pass(HOUR);
  await activate({ content: file('2', {}), fromVersion: 1 });
  expect(await list()).toMatchObject({ inForce: 2, versions: [{ state: 'IN_FORCE' }, { state: 'NEVER' }] });
  pass(2 * HOUR);
  expect(await list()).toMatchObject({ inForce: 2 });
});

it('is of the version that was seen: one that came meanwhile is not overwritten', async () => {
  const { ask, approve, execute, activate, log } = world();
  const [one, other] = [await ask(), await ask({ content: file('1b', {}) })];
  await approve(one._id);
  await approve(other._id);
  await execute(one._id);
  await expect(execute(other._id)).rejects.toThrow(code('POLICY_MOVED'));
  await expect(ask({ content: file('2', {}) })).rejects.toThrow(code('POLICY_MOVED', /newest version of limits is 1/));
  await activate({ content: file('2', {}), fromVersion: 1 });
  expect(log.records.map(({ record }) => record.version)).toEqual([1, 2]);
});

it('loses against one that was written in the same instant, and says so', async () => {
  const { ask, approve, execute, log, list } = world();
  const [one, other] = [await ask(), await ask({ content: file('1b', {}) })];
  await approve(one._id);
  await approve(other._id);
  // The other process has read, and writes first.
  log.beforePublish = async () => {
    log.beforePublish = () => undefined;
    await execute(one._id);
  };
  await expect(execute(other._id)).rejects.toThrow(code('POLICY_MOVED'));
  expect(log.records).toHaveLength(2);
  expect(await list()).toMatchObject({ inForce: 1, versions: [{ approvalId: one._id }] });
});

it('is written once, though its process died before or after the write', async () => {
  const { ask, approve, execute, log, list } = world();
  const { _id } = await ask();
  await approve(_id);
  log.beforePublish = () => Promise.reject(new Error('killed'));
  await expect(execute(_id)).rejects.toThrow('killed');
  expect(log.records).toHaveLength(0);
  log.beforePublish = () => undefined;
  const { publish } = log;
  log.publish = async (version) => {
    await publish(version);
    throw new Error('killed');
  };
  await expect(execute(_id)).rejects.toThrow('killed');
  log.publish = publish;
  expect(await execute(_id)).toMatchObject({ state: 'EXECUTED' });
  expect(log.records).toHaveLength(1);
  expect(await list()).toMatchObject({ inForce: 1 });
});

it('passes over what cannot be used, names it, and goes on above it', async () => {
  const { activate, list, log, kinds } = world();
  await activate();
  const [{ record }] = log.records as [(typeof log.records)[0]];
  await log.publish({ ...record, version: 2, content: '{"of":"a newer release"}' });
  expect(await list()).toMatchObject({
    ...{ inForce: 1, last: 2 },
    versions: [
      { version: 2, state: 'UNUSABLE', flaw: 'its content is not what its hash is over' },
      { state: 'IN_FORCE' },
    ],
  });
  expect(await showPolicy(kinds, log, { kind: 'limits', version: 2, now: NOW })).toMatchObject({ content: null });
  await activate({ content: file('3', {}), fromVersion: 2 });
  expect(await list()).toMatchObject({ inForce: 3 });
  await expect(listPolicies(kinds, log, { now: NOW, kind: 'fees' })).rejects.toThrow(code('POLICY_UNKNOWN'));
});
