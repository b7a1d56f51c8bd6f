// Pausing alone, resuming by two: whatever happens between the question and the act.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { testRings } from '../../test/kit/rings.ts';
import { times } from '../../test/kit/times.ts';
import { type ControlTarget, isInForce, targetKey } from '../../topics/control-key.ts';
import { personWithKeys, principalOf } from '../access/principal.ts';
import { decideApproval } from '../approvals/approvals.ts';
import { describeApproval, executeApproval } from '../approvals/execute.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { askToResume, listControls, pauseTarget, resumeHandler } from './controls.ts';
import { targetNamed } from './targets.ts';
import { memoryControls } from './testing/memory-controls.ts';

const operators = testRings.operators!;
const TARGET: ControlTarget = { kind: 'CORRIDOR', name: 'GB-IN' };
const KEY = targetKey(TARGET);
const AT = new Date('2026-11-30T03:00:00Z');
const [asha, ben] = [personWithKeys('asha'), personWithKeys('ben')];
let log = memoryControls();
let approvals = memoryApprovals();
let next = 0;

beforeEach(() => {
  log = memoryControls();
  approvals = memoryApprovals();
});

const handlers = () => ({ 'control.resume': resumeHandler(log), 'provider.on': resumeHandler(log) });
const pause = (by = asha, target = TARGET) => pauseTarget(log, { target, by, reason: 'pays twice', at: AT });
const ask = (by = asha, target = TARGET) =>
  askToResume({ log, approvals }, { id: `ask-${next++}`, target, by, reason: 'mended', at: AT }, operators);
async function approved(by = asha, target = TARGET): Promise<string> {
  const { _id: id, hash } = await ask(by, target);
  await decideApproval(approvals, { id, hash, verdict: 'APPROVED', by: ben, reason: 'looked', at: AT }, operators);
  return id;
}
const execute = (id: string) => executeApproval(approvals, id, { handlers: handlers(), operators, at: AT });
const isPaused = async () => {
  const found = (await log.latest()).get(KEY);
  return found !== undefined && isInForce(found);
};

describe('a pause', () => {
  it('is made by one person at once, and stands with who, when and why', async () => {
    await pause();
    expect(log.records).toMatchObject([
      { kind: 'CORRIDOR', name: 'GB-IN', state: 'PAUSED', version: 1, changedBy: 'asha', reason: 'pays twice' },
    ]);
    const viewer = principalOf('vi', ['viewer'], { credential: 'token' });
    expect(await listControls(log, viewer, { all: false })).toMatchObject([{ key: KEY, inForce: true }]);
    await expect(pause(viewer)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
  });

  it('ends by two persons alone, and what they did stands there', async () => {
    await pause();
    const id = await approved();
    expect(await describeApproval((await approvals.find(id))!, handlers(), operators)).toEqual([
      'resume CORRIDOR/GB-IN, which stands since version 1',
      expect.stringContaining('was paused by asha'),
    ]);
    expect(await isPaused()).toBe(true);
    expect(await execute(id)).toMatchObject({ state: 'EXECUTED' });
    expect(log.records.at(-1)).toMatchObject({ state: 'RUNNING', version: 2, changedBy: 'asha', approvedBy: 'ben' });
    expect(await isPaused()).toBe(false);
    await expect(ask()).rejects.toMatchObject({ code: 'CONTROL_NOT_PAUSED' });
  });

  it('of a provider is ended by an act of its own name', async () => {
    const target: ControlTarget = { kind: 'PROVIDER', name: 'simulator' };
    await pause(asha, target);
    expect((await ask(asha, target)).act).toBe('provider.on');
  });

  it('that is made again outlives a resumption that was asked for before', async () => {
    await pause();
    const id = await approved();
    await pause(ben);
    await expect(execute(id)).rejects.toMatchObject({ code: 'CONTROL_MOVED' });
    expect([await isPaused(), approvals.all.get(id)!.state]).toEqual([true, 'FAILED']);
  });

  it('that is made while it is being resumed holds, whichever stands first in the log', async () => {
    await pause();
    const id = await approved();
    // Both read the same, and write the same version.
    log.beforePublish = async (control) => {
      if (control.state === 'RUNNING') log.records.push({ ...control, state: 'PAUSED', approvalId: null });
    };
    await expect(execute(id)).rejects.toMatchObject({ code: 'CONTROL_MOVED' });
    expect(await isPaused()).toBe(true);
  });

  it('that others wrote over while it was being written is written again: who pauses is never told what does not hold', async () => {
    await pause();
    // This one has read the log; until it writes, two others resume, pause and resume again.
    let isFirst = true;
    log.beforePublish = (control) => {
      if (control.changedBy !== 'ben' || !isFirst) return;
      isFirst = false;
      for (const [version, state] of [
        [2, 'RUNNING'],
        [3, 'PAUSED'],
        [4, 'RUNNING'],
      ] as const)
        log.records.push({ ...control, changedBy: 'carla', version, state });
    };
    expect(await pause(ben)).toMatchObject({ state: 'PAUSED', version: 5, changedBy: 'ben' });
    expect(await isPaused()).toBe(true);
    log.beforePublish = (control) =>
      void log.records.push({ ...control, version: control.version + 1, state: 'RUNNING' });
    await expect(pause(ben)).rejects.toMatchObject({ code: 'CONTROL_MOVED' });
  });

  it('ends once however often its resumption is done, also by who died after writing it', async () => {
    await pause();
    const id = await approved();
    const dying = resumeHandler({
      ...log,
      latest: log.latest,
      publish: async (control) => {
        await log.publish(control);
        throw new Error('killed');
      },
    });
    const killed = executeApproval(approvals, id, { handlers: { 'control.resume': dying }, operators, at: AT });
    await expect(killed).rejects.toThrow('killed');
    expect(approvals.all.get(id)!.state).toBe('APPROVED');
    expect(await execute(id)).toMatchObject({ state: 'EXECUTED' });
    expect(log.records.filter(({ state }) => state === 'RUNNING')).toHaveLength(1);
  });

  it('holds against a copy of an older record', async () => {
    await pause();
    await execute(await approved());
    const resumed = log.records.at(-1)!;
    await pause();
    log.records.push(resumed, log.records[0]!);
    expect(await isPaused()).toBe(true);
  });
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('pause' as const), by: fc.constantFrom('asha', 'ben', 'carla') }),
  fc.record({ kind: fc.constant('ask' as const), by: fc.constantFrom('asha', 'carla') }),
  fc.record({ kind: fc.constant('execute' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('copy' as const), which: fc.nat() }),
);

it('never goes on but by a resumption that two persons let through after the last pause', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      log = memoryControls();
      approvals = memoryApprovals();
      const asked: { readonly id: string; readonly pauses: number }[] = [];
      let pauses = 0;
      let expected = false;
      for (const one of steps) {
        if (one.kind === 'pause') {
          await pause(personWithKeys(one.by));
          pauses++;
          expected = true;
        }
        if (one.kind === 'ask' && expected) asked.push({ id: await approved(personWithKeys(one.by)), pauses });
        if (one.kind === 'execute' && asked.length > 0) {
          const { id, pauses: of } = asked[one.which % asked.length]!;
          const done = await execute(id).catch(() => undefined);
          if (done) {
            expect([of, expected]).toEqual([pauses, true]);
            expected = false;
          }
        }
        if (one.kind === 'copy' && log.records.length > 0)
          log.records.push(log.records[one.which % log.records.length]!);
        expect(await isPaused()).toBe(expected);
      }
    }),
    { numRuns: times(300) },
  );
});

describe('what is paused', () => {
  const known = {
    ...{ processors: ['limits', 'payout-executor'], partitions: 4, corridors: ['GB-IN'], providers: ['simulator'] },
    rails: ['SCT', 'SCT-INST'],
  };
  it.each([
    ['processor/limits', 'PROCESSOR/limits'],
    ['partition/limits/3', 'PARTITION/limits/3'],
    ['corridor/gb-in', 'CORRIDOR/GB-IN'],
    ['PROVIDER/simulator', 'PROVIDER/simulator'],
    ['rail/sct-inst', 'RAIL/SCT-INST'],
  ])('is named by %s', (text, key) => expect(targetKey(targetNamed(text, known))).toBe(key));

  it.each([
    '',
    'limits',
    'processor',
    'processor/limit',
    'processor/limits/3',
    'partition/limits',
    'partition/limits/4',
    'partition/limits/-1',
    'partition/limits/3/x',
    'corridor/GB-XX',
    'glass/1',
    'unknown/x',
  ])('is never %j: nothing would stand', (text) =>
    expect(() => targetNamed(text, known)).toThrow(expect.objectContaining({ code: 'CONTROL_TARGET_INVALID' })),
  );
});
