import { describe, expect, it } from 'vitest';
import { recordType } from '../schemas/avro-types.ts';
import {
  accepted,
  completed,
  dispatched,
  heldAtScreening,
  payoutUpdated,
  priced,
  rejected,
  requested,
  reserved,
  reviewDecided,
  screened,
} from '../test/kit/events.ts';
import { deadLetterMark, lifecycleOf, processorOf, stageOf } from './lifecycle.ts';
import { topology } from './topology.ts';

const schema = recordType('TransferLifecycle');

describe('the lifecycle record of a transition', () => {
  it.each([
    ['transfer.accepted', accepted(), 'ACCEPTED', 1],
    ['transfer.screened', screened(), 'SCREENED', 2],
    ['transfer.held', heldAtScreening(), 'HELD', 2],
    ['transfer.priced', priced(), 'PRICED', 3],
    ['transfer.reserved', reserved(), 'RESERVED', 4],
    ['payout.requested', dispatched(), 'DISPATCHED', 5],
    ['transfer.completed', completed(), 'COMPLETED', 6],
    ['transfer.rejected', rejected(), 'REJECTED', 2],
  ] as const)('of %s fits its schema and says %s', (topic, event, state, sequence) => {
    const record = lifecycleOf(topic, event, 'LIMITS')!;
    expect(schema.isValid(record)).toBe(true);
    expect(record).toMatchObject({ state, sequence, stage: 'LIMITS', eventId: event.envelope.eventId });
  });

  it('grows with the transfer', () => {
    expect(lifecycleOf('transfer.accepted', accepted(), 'INTAKE')).toMatchObject({
      debitMinor: null,
      screeningOutcome: null,
    });
    expect(lifecycleOf('transfer.completed', completed(), 'SETTLEMENT')).toMatchObject({
      debitMinor: 50_000n,
      creditMinor: 5_500_000n,
      feesMinor: 0n,
      screeningOutcome: 'CLEAR',
      provider: 'simulator',
    });
  });

  it('adds up the fees', () => {
    const event = priced();
    const fee = (minor: bigint) => ({ code: 'FEE', amount: { minor, currency: 'GBP' } });
    const price = { ...event.price, fees: [fee(150n), fee(49n)] };
    expect(lifecycleOf('transfer.priced', { ...event, price }, 'FX_PRICING')!.feesMinor).toBe(199n);
  });

  it('names the reasons', () => {
    expect(lifecycleOf('transfer.held', heldAtScreening(), 'SCREENING')!.reasonCodes).toEqual(['RR04']);
    expect(lifecycleOf('transfer.rejected', rejected(), 'SCREENING')!.reasonCodes).toEqual(['RR04']);
  });

  it('is undefined for what is no transition', () => {
    expect(lifecycleOf('intent.rejected', accepted(), 'INTAKE')).toBeUndefined();
  });

  it('holds nothing personal', () => {
    const text = schema.toString(lifecycleOf('transfer.completed', completed(), 'SETTLEMENT'));
    for (const planted of ['Ada', 'Ravi', 'GB33BUKB', '00000000012345', 'Sample Street', '1985', 'cust-000']) {
      expect(text).not.toContain(planted);
    }
  });
});

describe('the mark of a dead letter', () => {
  const mark = { eventId: 'e', occurredAt: 1, stage: 'LIMITS' as const, code: 'PARTIES_SEALED' as const };
  it.each([
    ['transfer.priced', priced(), 3],
    ['review.decided', reviewDecided(), 2],
    ['payout.updated', payoutUpdated(), 5],
  ] as const)('of %s repeats the last sequence', (topic, value, sequence) => {
    const record = deadLetterMark(topic, value, mark)!;
    expect(schema.isValid(record)).toBe(true);
    expect(record).toMatchObject({
      state: 'DEAD_LETTERED',
      sequence,
      reasonCodes: ['PARTIES_SEALED'],
      transferId: 'transfer-0001',
    });
  });

  it('is not made where no transfer stops: intents, and transfers that had ended', () => {
    expect(deadLetterMark('transfer.requested', requested(), mark)).toBeUndefined();
    expect(deadLetterMark('transfer.completed', completed(), mark)).toBeUndefined();
    expect(deadLetterMark('transfer.rejected', rejected(), mark)).toBeUndefined();
  });
});

it('every stage has a name in the schema', () => {
  const stages = recordType('Stage');
  for (const name of Object.keys(topology)) {
    expect(stages.isValid(stageOf(name))).toBe(true);
    expect(processorOf(stageOf(name))).toBe(name);
  }
});
