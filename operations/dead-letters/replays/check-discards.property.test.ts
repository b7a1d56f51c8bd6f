// Whatever a letter, its index entry and the view say: what may have been paid is never rejected, and what has to be handled is
// never dropped.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyRing } from '../../../domain/seals/seal.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { sealedRecovery } from '../../../ports/seals.ts';
import { ownersOfLetters } from '../../../processors/topology.ts';
import { testRings } from '../../../test/kit/rings.ts';
import { contracts } from '../../../topics/catalogue.ts';
import { isEndedByRejection, mayHavePaid, movesNoMoney } from '../owners.ts';
import { discardWayOf } from './check-discards.ts';
import { flawOf } from './check-letters.ts';

interface Letter {
  readonly owner: string;
  readonly topic: string;
  readonly letterClass: string;
  readonly value: Buffer | null;
  readonly isSealed: boolean;
  readonly isClaimed: boolean;
}

function recordOf({ owner, topic, letterClass, value, isSealed, isClaimed }: Letter): LogRecord {
  const headers = {
    'dlq-id': 'letter-1',
    'dlq-class': letterClass,
    'source-topic': topic,
    ...(isClaimed ? { 'claimed-source-topic': topic } : {}),
  };
  const made = sealedRecovery(testRings, { topic: `${owner}.dlq`, partition: 0, key: 'T-1', value, headers });
  const all = isSealed ? made.headers : { ...made.headers, 'dlq-class': 'changed' };
  const buffers = Object.entries(all).map(([name, text]) => [name, Buffer.from(text as string)]);
  return { ...made, offset: 0, timestamp: 0, key: Buffer.from('T-1'), headers: Object.fromEntries(buffers) };
}

const letters = fc.record<Letter>({
  owner: fc.constantFrom(...ownersOfLetters),
  topic: fc.constantFrom(...Object.values(contracts).map(({ name }) => name), 'nothing.known'),
  letterClass: fc.constantFrom('undecodable', 'refused', 'exhausted', 'poison', 'unproven', 'repeated'),
  value: fc.constantFrom(Buffer.from('v'), null),
  isSealed: fc.boolean(),
  isClaimed: fc.boolean(),
});
const states = ['ACCEPTED', 'HELD', 'DISPATCHED', 'DEAD_LETTERED', 'COMPLETED', 'REJECTED', 'RETURNED'];
const standings = fc.option(
  fc.record({ state: fc.constantFrom(...states), sequence: fc.integer({ min: 1, max: 9 }) }),
  {
    nil: undefined,
  },
);
const sequences = fc.option(fc.integer({ min: 1, max: 9 }));

const NO_PAYOUT = { payout: undefined };

describe('a letter that is to be discarded', () => {
  it('stays where the key of its seal is not here: its transfer may wait for it', () => {
    const letter = { owner: 'limits', topic: 'transfer.priced', letterClass: 'poison', value: Buffer.from('v') };
    const record = recordOf({ ...letter, isSealed: true, isClaimed: false });
    const look = {
      item: { letterId: 'letter-1', sequence: 3 },
      record,
      standing: { state: 'DEAD_LETTERED', sequence: 3 },
      payout: undefined,
    };
    expect(discardWayOf('limits', look, testRings)).toBe('reject');
    const [id] = testRings.stages!.keys.keys();
    const later = { ...testRings, stages: keyRing(`after-${id}:a-key-that-came-later-000000000000000`) };
    expect(discardWayOf('limits', look, later)).toBe('STILL_NEEDED');
  });

  it('is rejected by a stage before the payout alone, when it is sealed, readable, and its transfer stands where it did', () => {
    fc.assert(
      fc.property(letters, standings, sequences, (letter, standing, sequence) => {
        const record = recordOf(letter);
        const way = discardWayOf(
          letter.owner,
          { item: { letterId: 'letter-1', sequence }, record, standing, payout: undefined },
          testRings,
        );
        if (way !== 'reject') return;
        expect(mayHavePaid(letter.owner) || movesNoMoney(letter.owner)).toBe(false);
        expect(isEndedByRejection(letter.owner, letter.topic) || letter.topic === 'transfer.requested').toBe(true);
        expect(letter.isSealed && letter.value !== null).toBe(true);
        expect(['undecodable', 'unproven', 'repeated']).not.toContain(letter.letterClass);
        expect(['COMPLETED', 'REJECTED', 'RETURNED']).not.toContain(standing?.state);
        if (sequence !== null && standing && letter.topic !== 'transfer.requested')
          expect(standing.sequence).toBeLessThanOrEqual(sequence);
      }),
      { numRuns: 3_000 },
    );
  });

  it('of a later price is rejected only while its payout provably waits for that price, and for no person', () => {
    const phases = [
      'NEW',
      'SUBMITTING',
      'ACCEPTED',
      'OUTCOME_UNKNOWN',
      'PAID',
      'FAILED',
      'EXPIRED',
      'RETURNED',
    ] as const;
    const payouts = fc.option(
      fc.record({ phase: fc.constantFrom(...phases), isContested: fc.boolean(), isProven: fc.boolean() }),
      { nil: undefined },
    );
    const reached = { rejected: 0, kept: 0 };
    fc.assert(
      fc.property(
        payouts,
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('fx-pricing', 'limits'),
        (payout, attempt, owner) => {
          const topic = owner === 'limits' ? 'transfer.priced' : 'transfer.requote-requested';
          const letter = {
            owner,
            topic,
            letterClass: 'poison',
            value: Buffer.from('v'),
            isSealed: true,
            isClaimed: false,
          };
          const standing = { state: 'DEAD_LETTERED', sequence: 3, attempt };
          const look = { item: { letterId: 'letter-1', sequence: 3 }, record: recordOf(letter), standing, payout };
          const way = discardWayOf(owner, look, testRings);
          const waits =
            payout === undefined ? attempt === 1 : payout.phase === 'EXPIRED' && payout.isProven && !payout.isContested;
          expect(way).toBe(waits ? 'reject' : 'MAY_BE_PAID');
          reached[waits ? 'rejected' : 'kept']++;
        },
      ),
      { numRuns: 1_000 },
    );
    expect(Math.min(reached.rejected, reached.kept)).toBeGreaterThan(20);
  });

  it('is taken out of what stands only when it is of no transfer that waits for it', () => {
    fc.assert(
      fc.property(letters, standings, sequences, (letter, standing, sequence) => {
        const look = {
          item: { letterId: 'letter-1', sequence },
          record: recordOf(letter),
          standing,
          payout: undefined,
        };
        if (discardWayOf(letter.owner, look, testRings) !== 'mark') return;
        if (!letter.isSealed || ['unproven', 'repeated'].includes(letter.letterClass)) return;
        if (['sink-events', 'sink-transfer-view', 'sink-webhooks'].includes(letter.owner)) return;
        if (letter.topic === 'transfer.requested' && !mayHavePaid(letter.owner)) return;
        expect(standing).toBeDefined();
        const { state, sequence: reached } = standing!;
        if (letter.owner === 'settlement') expect(['REJECTED', 'RETURNED']).toContain(state);
        else if (letter.owner === 'payout-executor') expect(['REJECTED', 'RETURNED', 'COMPLETED']).toContain(state);
        else expect(['COMPLETED', 'REJECTED', 'RETURNED'].includes(state) || reached > (sequence ?? 9)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('stays where it is when the log does not have it, when it is another, or when money may have gone', () => {
    const item = { letterId: 'letter-1', sequence: 3 };
    const base = {
      topic: 'payout.requested',
      letterClass: 'poison',
      value: Buffer.from('v'),
      isSealed: true,
      isClaimed: false,
    };
    const ways = (owner: string, state: string) =>
      discardWayOf(
        owner,
        { item, record: recordOf({ ...base, owner }), standing: { state, sequence: 5 }, ...NO_PAYOUT },
        testRings,
      );
    expect(ways('payout-executor', 'DISPATCHED')).toBe('MAY_BE_PAID');
    expect(ways('payout-executor', 'COMPLETED')).toBe('mark');
    expect(ways('settlement', 'COMPLETED')).toBe('MAY_BE_PAID');
    expect(ways('settlement', 'REJECTED')).toBe('mark');
    expect(discardWayOf('limits', { item, record: undefined, standing: undefined, ...NO_PAYOUT }, testRings)).toBe(
      'LETTER_GONE',
    );
    const other = { item: { letterId: 'letter-2', sequence: 3 }, standing: undefined, ...NO_PAYOUT };
    const record = recordOf({ ...base, owner: 'limits', topic: 'transfer.priced' });
    expect(discardWayOf('limits', { ...other, record }, testRings)).toBe('LETTER_FORGED');
    const end = recordOf({ ...base, owner: 'limits', topic: 'transfer.completed' });
    expect(
      discardWayOf(
        'limits',
        { item, record: end, standing: { state: 'COMPLETED', sequence: 9 }, ...NO_PAYOUT },
        testRings,
      ),
    ).toBe('STILL_NEEDED');
  });
});

describe('a letter that is to be sent again', () => {
  it('is sealed by its stage, or of a sink that moves no money', () => {
    fc.assert(
      fc.property(letters, standings, sequences, (letter, standing, sequence) => {
        const look = { item: { letterId: 'letter-1', sequence }, record: recordOf(letter), standing };
        if (flawOf(letter.owner, look, testRings) !== undefined || movesNoMoney(letter.owner)) return;
        expect(letter.isSealed && !letter.isClaimed).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});
