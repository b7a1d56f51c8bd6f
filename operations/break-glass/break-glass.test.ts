// Broken glass: one person does what takes two, for some minutes, and another looks at it.
import { beforeEach, describe, expect, it } from 'vitest';
import { testRings } from '../../test/kit/rings.ts';
import { personWithKeys, principalOf } from '../access/principal.ts';
import { hashOfAct } from '../approvals/acts.ts';
import { isApproved } from '../approvals/approval.ts';
import { askForApproval, decideApproval } from '../approvals/approvals.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { memoryControls } from '../control/testing/memory-controls.ts';
import { actsUnder, breakGlass, glassInForce, listGlass, reviewGlass } from './break-glass.ts';

const operators = testRings.operators!;
const AT = new Date('2026-11-30T03:00:00Z');
const later = (minutes: number) => new Date(AT.getTime() + minutes * 60_000);
const [asha, ben] = [personWithKeys('asha'), personWithKeys('ben')];
const WANTED = { act: 'control.resume', subject: 's', hash: hashOfAct('control.resume', 's', '{}') } as const;
let log = memoryControls();
let approvals = memoryApprovals();

beforeEach(async () => {
  log = memoryControls();
  approvals = memoryApprovals();
  const asking = { ...WANTED, id: 'a', content: '{}', summary: 's', by: 'asha', reason: 'r', at: AT };
  await askForApproval(approvals, asking, operators);
});

const desk = () => ({ log, clock: (own: Date) => approvals.clock(own) });
const broken = (minutes = 10, by = asha) =>
  breakGlass(desk(), { id: 'g', by, reason: 'alone on call', minutes, at: AT });
const inForce = (by = asha, at = later(1)) => glassInForce(desk(), { id: 'g', by, at });
const approve = async (by = asha, at = later(1)) => {
  const glass = await inForce(asha, at);
  const deciding = { id: 'a', hash: WANTED.hash, verdict: 'APPROVED', by, reason: 'no one else', at, glass } as const;
  return decideApproval(approvals, deciding, operators);
};

describe('a broken glass', () => {
  it('lets its owner let through what they asked for, and is named by it', async () => {
    await broken();
    const approval = await approve();
    expect(approval).toMatchObject({ state: 'APPROVED', decided: { by: 'asha', glass: 'g' } });
    expect(isApproved(operators, approval, WANTED)).toBe(true);
    expect(await actsUnder(approvals, 'g')).toMatchObject([{ _id: 'a' }]);
    // What it let through is worth nothing without it.
    const { glass: _, ...without } = approval.decided!;
    expect(isApproved(operators, { ...approval, decided: without }, WANTED)).toBe(false);
    expect(isApproved(operators, { ...approval, decided: { ...approval.decided!, glass: 'h' } }, WANTED)).toBe(false);
  });

  it('ends, is its owner’s alone, and not one that there is not', async () => {
    await broken();
    await expect(inForce(ben)).rejects.toMatchObject({ code: 'GLASS_OVER' });
    await expect(inForce(asha, later(10))).rejects.toMatchObject({ code: 'GLASS_OVER' });
    await expect(glassInForce(desk(), { id: 'h', by: asha, at: AT })).rejects.toMatchObject({ code: 'GLASS_UNKNOWN' });
    await expect(breakGlass(desk(), { id: 'g', by: ben, reason: 'r', minutes: 5, at: AT })).rejects.toThrow('already');
  });

  it.each([-60, 60])(
    'begins and ends by the clock of the store, also where the process is %i minutes off',
    async (off) => {
      let now = AT;
      approvals = memoryApprovals(() => now);
      const own = () => new Date(now.getTime() + off * 60_000);
      const asking = { ...WANTED, id: 'a', content: '{}', summary: 's', by: 'asha', reason: 'r', at: own() };
      await askForApproval(approvals, asking, operators);
      const opened = await breakGlass(desk(), { id: 'g', by: asha, reason: 'alone', minutes: 10, at: own() });
      expect(opened).toMatchObject({ brokenAt: AT, until: later(10) });
      now = later(9);
      const glass = await inForce(asha, own());
      now = later(10);
      await expect(inForce(asha, own())).rejects.toMatchObject({ code: 'GLASS_OVER' });
      // Found in force a moment ago, and over by the time that it is acted under.
      const deciding = {
        id: 'a',
        hash: WANTED.hash,
        verdict: 'APPROVED',
        by: asha,
        reason: 'r',
        at: own(),
        glass,
      } as const;
      await expect(decideApproval(approvals, deciding, operators)).rejects.toMatchObject({ code: 'GLASS_OVER' });
      now = later(9);
      expect(await decideApproval(approvals, deciding, operators)).toMatchObject({
        decided: { glass: 'g', at: later(9) },
      });
    },
  );

  it('gives no right that its owner lacks, and no refusal of what they asked for', async () => {
    await broken();
    const glass = await inForce();
    const of = (role: string) => principalOf('asha', [role], { credential: 'token' });
    const deciding = { id: 'a', hash: WANTED.hash, verdict: 'APPROVED', reason: 'r', at: later(1), glass } as const;
    await expect(decideApproval(approvals, { ...deciding, by: of('compliance') }, operators)).rejects.toMatchObject({
      code: 'ACTION_FORBIDDEN',
    });
    const refusing = decideApproval(approvals, { ...deciding, verdict: 'REFUSED', by: of('operator') }, operators);
    await expect(refusing).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    // Somebody else's is of no use to anybody.
    const borrowed = decideApproval(
      approvals,
      { ...deciding, by: of('operator'), glass: { id: 'g', by: 'ben', until: later(10) } },
      operators,
    );
    await expect(borrowed).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    // An operator, who may not approve what others ask for, may do this under it.
    expect(await decideApproval(approvals, { ...deciding, by: of('operator') }, operators)).toMatchObject({
      state: 'APPROVED',
    });
  });

  it('lets through nothing that can always wait', async () => {
    await broken();
    for (const act of ['exceptions.grant', 'lists.activate'] as const) {
      const hash = hashOfAct(act, 's', '{}');
      const asking = { id: act, act, subject: 's', hash, content: '{}', summary: 's', by: 'asha', reason: 'r', at: AT };
      await askForApproval(approvals, asking, operators);
      const glass = await inForce();
      const deciding = { id: act, hash, verdict: 'APPROVED', by: asha, reason: 'r', at: later(1), glass } as const;
      await expect(decideApproval(approvals, deciding, operators)).rejects.toMatchObject({
        code: 'SECOND_PERSON_NEEDED',
      });
    }
  });

  it('stays open until another person has reviewed it, which also ends it', async () => {
    await broken();
    const review = (by = ben) => reviewGlass(desk(), { id: 'g', by, text: 'one resumption', at: later(2) });
    await expect(review(personWithKeys(' Asha '))).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    expect(await listGlass(log, ben)).toMatchObject([{ id: 'g', by: 'asha', reason: 'alone on call', review: null }]);
    expect(await review()).toMatchObject({ id: 'g', by: 'asha', until: later(10) });
    expect(await listGlass(log, ben)).toMatchObject([
      { id: 'g', by: 'asha', brokenAt: AT, review: { by: 'ben', text: 'one resumption' } },
    ]);
    await expect(inForce(asha, later(3))).rejects.toMatchObject({ code: 'GLASS_OVER' });
    await expect(review()).rejects.toMatchObject({ code: 'GLASS_OVER' });
    // A copy of the record that broke it opens it no more.
    log.records.push(log.records[0]!);
    await expect(inForce(asha, later(3))).rejects.toMatchObject({ code: 'GLASS_OVER' });
  });

  it.each([0, 61, 1.5, Number.NaN])('is not broken for %s minutes, nor by who may not', async (minutes) => {
    await expect(broken(minutes)).rejects.toMatchObject({ code: 'GLASS_TERMS_INVALID' });
    const admin = principalOf('ada', ['admin'], { credential: 'token' });
    await expect(broken(5, admin)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
    expect(log.records).toEqual([]);
  });
});
