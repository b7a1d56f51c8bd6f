import { describe, expect, it } from 'vitest';
import type { CaseDecision } from '../../../sinks/cases/case.ts';
import { openCase } from '../../../sinks/cases/to-write.ts';
import { transferHeld } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { HEADER } from '../../../topics/headers.ts';
import { decideHold } from './decide.ts';
import { commandMaker, expireHolds } from './relay.ts';

const opened = openCase(transferHeld());
const at = new Date(opened.expiresAt.getTime() - 1);
const verdict = { holdId: opened._id, evidenceHash: opened.evidenceHash, decision: 'APPROVE', at } as const;
const decision = decideHold(opened, { ...verdict, by: 'amara', reason: 'another person' }, KEYS.operators);
const decided = { ...opened, state: 'DECIDED', decision, commandPending: true } as const;
const make = commandMaker({ codec: memoryCodec(), rings: KEYS });

describe('the relay of decided cases', () => {
  it('makes the same command of a case each time, on the partition of its transfer', () => {
    const [record] = make([decided], at.getTime());
    const { envelope } = opened.held;
    expect(record).toMatchObject({
      topic: 'review.decided',
      partition: envelope.homePartition,
      key: envelope.transferId,
    });
    const [again] = make([decided], at.getTime() + 9);
    expect(again?.headers[HEADER.eventId]).toBe(record?.headers[HEADER.eventId]);
  });

  it('sends nothing that nobody decided', () => {
    const forged = { ...decided, decision: { ...decision, seal: null } };
    expect(() => make([decided, forged], at.getTime())).toThrow(
      expect.objectContaining({ code: 'DECISION_NOT_SEALED' }),
    );
  });

  it('cannot be made without the keys of operators', () => {
    const { operators: _, ...rings } = KEYS;
    expect(() => commandMaker({ codec: memoryCodec(), rings })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', faultClass: 'fatal' }),
    );
  });
});

describe('the sweep of holds that nobody decided', () => {
  it('rejects them under the name of the system, without a seal', async () => {
    const asked: CaseDecision[] = [];
    const store = { clock: async () => at, expire: async (lapse: CaseDecision) => asked.push(lapse) };
    const behind = new Date(at.getTime() - 3_600_000);
    // Whichever clock runs ahead, ours or that of the store, ends nothing.
    await expireHolds(store, new Date(at.getTime() + 3_600_000));
    await expireHolds(store, behind);
    expect(asked.map(({ decidedAt }) => decidedAt)).toEqual([at, behind]);
    for (const lapse of asked)
      expect(lapse).toMatchObject({ decision: 'REJECT', decidedBy: 'hold-expiry', seal: null });
  });
});
