// Two persons accept a jump: whatever happens between the question and the act, and however often it is done.
import { beforeEach, describe, expect, it } from 'vitest';
import { AT, BOOK } from '../../test/kit/builders.ts';
import { type MemoryRates, memoryRates } from '../../test/kit/memory-rates.ts';
import { testRings } from '../../test/kit/rings.ts';
import { personWithKeys } from '../access/principal.ts';
import { decideApproval } from '../approvals/approvals.ts';
import { describeApproval, executeApproval } from '../approvals/execute.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { acceptJumpHandler, askToAcceptJump, JUMP_VALID_MS } from './jumps.ts';

const operators = testRings.operators;
const NOW = new Date(AT);
const KEY = 'GB-IN/GBP/INR';
const [asha, ben] = [personWithKeys('asha'), personWithKeys('ben')];
let log: MemoryRates;
let approvals = memoryApprovals();
let next = 0;

const goesBy = (rate: string, version: number, approvalId: string | null = null) =>
  log.write([
    {
      ...{ corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate, version, approvalId },
      ...{ source: 'ecb', observedAt: AT, acceptedAt: AT },
    },
  ]);
beforeEach(async () => {
  log = memoryRates();
  approvals = memoryApprovals();
  await goesBy('125.0', 7);
});

const handlers = () => ({ 'rates.accept-jump': acceptJumpHandler(log) });
const ask = (over: Partial<Parameters<typeof askToAcceptJump>[1]> = {}) =>
  askToAcceptJump(
    { log, approvals, corridors: BOOK },
    {
      ...{ id: `ask-${next++}`, corridor: 'GB-IN', pair: 'GBP/INR', rate: '140.0' },
      ...{ by: asha, reason: 'the market moved', at: NOW, ...over },
    },
    operators,
  );
const approve = ({ _id: id, hash }: { _id: string; hash: string }, by = ben) =>
  decideApproval(approvals, { id, hash, verdict: 'APPROVED', by, reason: 'looked', at: NOW }, operators);
const execute = (id: string, at = NOW) => executeApproval(approvals, id, { handlers: handlers(), operators, at });

describe('a jump', () => {
  it('is accepted by two, of that pair and corridor, from that rate to that rate, for an hour', async () => {
    const asked = await ask();
    expect(asked.summary).toBe('GB-IN: from GBP/INR 125.0 to GBP/INR 140.0, 1200 bps');
    expect(await describeApproval(asked, handlers(), operators)).toEqual([
      expect.stringContaining('go by GBP/INR 140.0 on GB-IN'),
      expect.stringContaining('GBP/INR 125.0 (version 7): 1200 bps'),
    ]);
    await expect(approve(asked, asha)).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    await approve(asked);
    expect(await execute(asked._id)).toMatchObject({ state: 'EXECUTED' });
    expect(log.jumpRecords).toMatchObject([
      {
        ...{ corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate: '140.0', fromRate: '125.0', fromVersion: 7 },
        ...{ acceptedAt: AT, expiresAt: AT + JUMP_VALID_MS, askedBy: 'asha', approvedBy: 'ben', approvalId: asked._id },
      },
    ]);
  });

  it('is written once, however often it is done, also after it was gone by', async () => {
    const asked = await ask();
    await approve(asked);
    const found = await approvals.find(asked._id);
    const approved = {
      ...{ approvalId: asked._id, subject: KEY, content: found!.content!, reason: 'r', askedBy: 'asha' },
      ...{ approvedBy: 'ben', approvedAt: NOW, doneAt: NOW, doneAtStore: NOW, hash: found!.hash },
    };
    const { execute: act } = acceptJumpHandler(log);
    await act!(approved);
    await act!(approved);
    await goesBy('140.1', 8, asked._id);
    await act!(approved);
    expect(log.jumpRecords).toHaveLength(1);
  });

  it('is not accepted once the corridor goes by another rate', async () => {
    const asked = await ask();
    await approve(asked);
    await goesBy('126.0', 8);
    await expect(execute(asked._id)).rejects.toMatchObject({ code: 'RATE_JUMP_MOVED' });
    expect(log.jumpRecords).toEqual([]);
  });

  it('is asked for, and accepted, whatever somebody forged, by what the person read in health', async () => {
    // A program without the keys of stages sees the forged record as the latest.
    log = memoryRates(false);
    await goesBy('125.0', 7);
    await goesBy('140.0', 99);
    await expect(ask()).rejects.toMatchObject({ code: 'RATE_JUMP_INVALID' });
    const asked = await ask({ from: { rate: '125.0', version: 7 } });
    expect(await describeApproval(asked, handlers(), operators)).toContainEqual(
      expect.stringContaining('nothing here proves'),
    );
    await approve(asked);
    expect(await execute(asked._id)).toMatchObject({ state: 'EXECUTED' });
    // Bound to what the person named: pricing goes by it only if that is what it goes by.
    expect(log.jumpRecords).toMatchObject([{ rate: '140.0', fromRate: '125.0', fromVersion: 7 }]);
  });

  it('is not asked for from another rate than the one that stages have sealed', async () => {
    const asking = ask({ from: { rate: '125.0', version: 6 } });
    await expect(asking).rejects.toThrow('GBP/INR 125.0 (version 7)');
    expect((await ask({ from: { rate: '125.0', version: 7 } })).state).toBe('WAITING');
  });

  it('says so where a later one got ahead of it', async () => {
    const [one, two] = [await ask(), await ask({ rate: '150.0' })];
    await approve(one);
    await approve(two);
    let raced = false;
    log.beforePublish = async () => {
      if (raced) return;
      raced = true;
      await execute(two._id, new Date(AT + 1));
    };
    await expect(execute(one._id)).rejects.toMatchObject({ code: 'RATE_JUMP_MOVED' });
    expect(await log.jumps()).toMatchObject(new Map([[KEY, { rate: '150.0' }]]));
  });

  it.each([
    ['a corridor that is none', { corridor: 'XX-YY' }],
    ['a pair that it does not know', { pair: 'USD/INR' }],
    ['no pair', { pair: 'GBPINR' }],
    ['no rate', { rate: '-1' }],
    ['a rate of nothing', { rate: '0.0' }],
    ['a rate within the limit', { rate: '126.0' }],
  ])('is refused of %s', async (_, over) => {
    await expect(ask(over)).rejects.toMatchObject({ code: 'RATE_JUMP_INVALID' });
  });
});
