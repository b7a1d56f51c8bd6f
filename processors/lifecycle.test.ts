import { describe, expect, it } from 'vitest';
import { reason } from '../domain/reasons.ts';
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
import {
  type ChainEvent,
  deadLetterMark,
  type LifecycleInput,
  lifecycleOf,
  processorOf,
  stageOf,
} from './lifecycle.ts';
import { topology } from './topology.ts';

const schema = recordType('TransferLifecycle');

const screenedAfterHold = ({ held }: ReturnType<typeof reviewDecided>) => ({
  ...screened(),
  envelope: { ...held.envelope, sequence: held.envelope.sequence + 1 },
});

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

  it('tells the instructed amount, the corridor and the exponents from the first event on', () => {
    const event = accepted();
    const instruction = { ...event.instruction, corridorId: 'GB-IN' };
    expect(lifecycleOf('transfer.accepted', { ...event, instruction }, 'INTAKE')).toMatchObject({
      eventKind: 'TRANSITION',
      contractVersion: 5,
      corridorId: 'GB-IN',
      instructedMinor: 50_000n,
      instructedCurrency: 'GBP',
      amountSide: 'SOURCE',
      sourceExponent: 2,
      targetExponent: 2,
      ended: false,
      endedAt: null,
    });
  });

  it('tells what the price is made of', () => {
    const event = priced();
    const fee = { code: 'FLAT', amount: { minor: 150n, currency: 'GBP' } };
    const margin = { minor: 77n, currency: 'GBP' };
    const price = { ...event.price, fees: [fee], margin };
    expect(lifecycleOf('transfer.priced', { ...event, price }, 'FX_PRICING')).toMatchObject({
      principalMinor: event.price.principal.minor,
      marginMinor: 77n,
      residual: event.price.residual,
      fees: [{ code: 'FLAT', minor: 150n }],
    });
    const older = { ...price, margin: null };
    expect(lifecycleOf('transfer.priced', { ...event, price: older }, 'FX_PRICING')!.marginMinor).toBeNull();
  });

  it('tells the rates that the price is made of, over which currency, and the limit rules in force', () => {
    const leg = (base: string, quote: string) => {
      const said = { base, quote, rate: '1.5', source: 'ecb', observedAt: 1_795_944_000_000 };
      return { ...said, agreement: { sources: ['ecb'], distanceBps: 0 } };
    };
    const { agreement: _, ...direct } = leg('INR', 'GBP');
    const made = (...legs: ReturnType<typeof leg>[]) => {
      const event = reserved();
      const reservation = { ...event.reservation, limitRules: 'house@2026-12#7' };
      return lifecycleOf('transfer.reserved', { ...event, price: { ...event.price, legs }, reservation }, 'LIMITS')!;
    };
    expect(made(leg('INR', 'GBP'))).toMatchObject({
      ...{ priceLegs: [direct], pivotCurrency: null, limitRulesVersion: 'house@2026-12#7' },
    });
    for (const [first, second] of [
      [leg('EUR', 'GBP'), leg('EUR', 'INR')],
      [leg('GBP', 'EUR'), leg('INR', 'EUR')],
    ]) {
      const row = made(first!, second!);
      expect(row.pivotCurrency).toBe('EUR');
      expect(row.priceLegs.map(({ base, quote }) => [base, quote])).toEqual(
        [first!, second!].map(({ base, quote }) => [base, quote]),
      );
      expect(schema.isValid(row)).toBe(true);
    }
    expect(lifecycleOf('transfer.accepted', accepted(), 'INTAKE')).toMatchObject({
      ...{ priceLegs: [], pivotCurrency: null, limitRulesVersion: null },
    });
    // What limits decline is not reserved, and names them all the same.
    const declined = { ...reserved(), reservation: null, limitsRefusal: { limitRules: 'house@2026-12#7', uses: [] } };
    const refusal = { ...declined, payout: null, stage: 'LIMITS', reasons: [{ code: 'AM14', detail: 'above' }] };
    expect(lifecycleOf('transfer.rejected', refusal, 'LIMITS')).toMatchObject({ limitRulesVersion: 'house@2026-12#7' });
  });

  it('says of a declared tax what is owed, to whom, and not what of', () => {
    const event = accepted();
    const usd = (minor: bigint) => ({ minor, currency: 'USD' });
    const tax = { kind: 'EXCISE', authority: 'US_IRC_4475', amount: usd(120n), basis: usd(12_000n) };
    const taxed = { ...event, instruction: { ...event.instruction, taxes: [tax] } };
    expect(lifecycleOf('transfer.accepted', taxed, 'INTAKE')!.taxes).toEqual([
      { kind: 'EXCISE', authority: 'US_IRC_4475', currency: 'USD', minor: 120n },
    ]);
  });

  it('says when it ended, and what came back', () => {
    const event = completed();
    const { occurredAt } = event.envelope;
    const done = lifecycleOf('transfer.completed', event, 'SETTLEMENT');
    expect(done).toMatchObject({ ended: true, endedAt: occurredAt, returnedMinor: null });
    const back = lifecycleOf('transfer.returned', { ...event, reasons: [reason('AC04')] }, 'SETTLEMENT');
    expect(back).toMatchObject({ ended: true, returnedMinor: 5_500_000n, creditMinor: 5_500_000n });
  });

  describe('tells the state before, from what it was made of', () => {
    const NONE = { previousState: null, previousOccurredAt: null, heldMs: null, replayId: null };
    const rowOf = (topic: string, event: ChainEvent, input: LifecycleInput) =>
      lifecycleOf(topic, event, 'LIMITS', input);
    const from = (topic: string, value: unknown, replayId: string | null = null) => ({ topic, value, replayId });
    const at = <E extends ChainEvent>(event: E, occurredAt: number): E => ({
      ...event,
      envelope: { ...event.envelope, occurredAt },
    });

    it('none of the first', () => {
      const input = from('transfer.requested', requested());
      expect(rowOf('transfer.accepted', accepted(), input)).toMatchObject(NONE);
    });

    it('of a transition: the state and time of the event that was read, and the replay that sent it', () => {
      const input = from('transfer.screened', at(screened(), 4_000), 'r-1');
      expect(rowOf('transfer.priced', priced(), input)).toMatchObject({
        ...{ previousState: 'SCREENED', previousOccurredAt: 4_000, heldMs: null, replayId: 'r-1' },
      });
    });

    it('of the end of a hold: how long it lasted', () => {
      const review = reviewDecided();
      const input = from('review.decided', { ...review, held: at(review.held, 4_000) });
      expect(rowOf('transfer.screened', at(screenedAfterHold(review), 9_500), input)).toMatchObject({
        ...{ previousState: 'HELD', previousOccurredAt: 4_000, heldMs: 5_500 },
      });
    });

    it('of what became of a payout: when it was asked for, but for a return behind a completion', () => {
      const update = payoutUpdated();
      const input = from('payout.updated', { ...update, requested: at(update.requested, 4_000) });
      expect(rowOf('transfer.completed', completed(), input)).toMatchObject({
        ...{ previousState: 'DISPATCHED', previousOccurredAt: 4_000, heldMs: null },
      });
      const later = completed();
      const returned = { ...later, envelope: { ...later.envelope, sequence: later.envelope.sequence + 1 } };
      expect(rowOf('transfer.returned', returned, input)).toMatchObject({ ...NONE, previousState: 'COMPLETED' });
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
    ['transfer.priced', priced(), 3, 'PRICED'],
    ['review.decided', reviewDecided(), 2, 'HELD'],
    ['payout.updated', payoutUpdated(), 5, 'DISPATCHED'],
  ] as const)('of %s repeats the last sequence', (topic, value, sequence, before) => {
    const record = deadLetterMark(topic, value, mark)!;
    expect(schema.isValid(record)).toBe(true);
    expect(record).toMatchObject({
      state: 'DEAD_LETTERED',
      sequence,
      reasonCodes: ['PARTIES_SEALED'],
      transferId: 'transfer-0001',
      eventKind: 'MARK',
      ended: false,
      holdId: null,
      heldMs: null,
      previousState: before,
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
