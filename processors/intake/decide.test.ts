// Given an intent and how it stands to the claim on its id, intake emits one event.
import { describe, expect, it } from 'vitest';
import { reason } from '../../domain/reasons.ts';
import { eventIdOf, intentDuplicationId, intentRejectionId } from '../../domain/transfers/event-id.ts';
import { AT, only, received, TOKEN_KEY, transferRequested } from '../../test/kit/builders.ts';
import type { ClaimOutcome } from './claims.ts';
import { decide, type IntakeContext } from './decide.ts';
import { tokeniser } from './token.ts';

const intent = transferRequested();
const input = received('transfer.requested', intent, { originPosition: 'T1:0:42' });
const claim = {
  transferId: intent.transferId,
  hash: 'v1:ab',
  originPosition: 'T1:0:7',
  homePartition: 5,
  acceptedAt: AT - 9,
  producerId: 'acme',
};
const tokenOf = tokeniser(TOKEN_KEY);
type Reasons = readonly ReturnType<typeof reason>[];
const contextOf = (claimOutcome: ClaimOutcome, reasons: Reasons = []): IntakeContext => ({
  ...{ now: AT, reasons, claimOutcome, tokenOf },
  producerId: 'acme',
});
const given = (claimOutcome: ClaimOutcome, reasons: Reasons = [], more: Partial<IntakeContext> = {}) =>
  decide(input, { ...contextOf(claimOutcome, reasons), ...more });

describe('intake', () => {
  it('given its own claim, accepts: the same event however often it runs', () => {
    const own = { ...claim, originPosition: 'T1:0:42' };
    const events = given({ kind: 'own', claim: own });
    expect(events).toEqual(
      decide(input, {
        now: AT + 60_000,
        reasons: [reason('DT02')],
        claimOutcome: { kind: 'own', claim: own },
        tokenOf,
        producerId: null,
      }),
    );
    expect(events).toMatchObject([
      {
        to: 'transfer.accepted',
        value: {
          envelope: {
            eventId: eventIdOf('transfer.accepted', intent.transferId, 1, 1),
            sequence: 1,
            attempt: 1,
            occurredAt: AT - 9,
            homePartition: 5,
            causationId: 'T1:0:42',
          },
          instruction: { sourceCountry: 'GB', targetCountry: 'IN', originPosition: 'T1:0:42' },
          parties: intent.parties,
        },
      },
    ]);
  });

  it('puts no customer id outside of the parties', () => {
    const { parties: _, ...rest } = only(given({ kind: 'own', claim }), 'transfer.accepted');
    const text = JSON.stringify(rest, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
    for (const secret of ['customer-0001', 'customer-0002', 'Gwen', 'Ravi', 'BUKB']) expect(text).not.toContain(secret);
  });

  it('given the claim of another record with the same payload, records a duplicate and nothing else', () => {
    expect(given({ kind: 'duplicate', claim })).toEqual([
      {
        to: 'intent.duplicated',
        value: {
          eventId: intentDuplicationId('T1:0:42'),
          transferId: intent.transferId,
          originPosition: 'T1:0:42',
          firstOriginPosition: 'T1:0:7',
          occurredAt: AT,
          producerId: 'acme',
        },
      },
    ]);
  });

  it('given the claim of another producer, says that the id is not its own, once, and nothing of the other', () => {
    expect(given({ kind: 'of-another' }, [reason('PRID'), reason('AM01')])).toMatchObject([
      {
        to: 'intent.rejected',
        value: { reasons: [{ code: 'PRID' }, { code: 'AM01' }], firstOriginPosition: null, producerId: 'acme' },
      },
    ]);
  });

  it('given the claim of another payload, rejects with DUPL and says where the first is', () => {
    expect(given({ kind: 'other-payload', claim }, [reason('AM02')])).toMatchObject([
      {
        to: 'intent.rejected',
        value: {
          eventId: intentRejectionId('T1:0:42'),
          firstOriginPosition: 'T1:0:7',
          reasons: [{ code: 'DUPL' }, { code: 'AM02' }],
        },
      },
    ]);
  });

  it('given reasons against it, rejects with all of them', () => {
    expect(given({ kind: 'none' }, [reason('AM01'), reason('BE11')])).toMatchObject([
      { to: 'intent.rejected', value: { reasons: [{ code: 'AM01' }, { code: 'BE11' }], firstOriginPosition: null } },
    ]);
  });

  it('says of a rejected intent where it would have gone and how much it was, as given', () => {
    const { amountSide, instructedAmount, sourceCurrency, targetCurrency } = intent;
    expect(only(given({ kind: 'none' }, [reason('AM01')], { corridorId: 'GB-IN' }), 'intent.rejected')).toMatchObject({
      corridorId: 'GB-IN',
      ...{ amountSide, sourceCurrency, targetCurrency },
      instructedMinor: instructedAmount.minor,
      instructedCurrency: instructedAmount.currency,
    });
  });

  it('shows of what is no currency as much as one would take', () => {
    const odd = received('transfer.requested', {
      ...intent,
      sourceCurrency: 'x'.repeat(500),
      instructedAmount: { minor: -1n, currency: 'A\u202e' },
    });
    const rejected = only(decide(odd, contextOf({ kind: 'none' }, [reason('CH16')])), 'intent.rejected');
    expect(rejected.sourceCurrency).toHaveLength(3);
    expect(rejected.instructedCurrency).toBe('A\ufffd');
    expect(rejected.instructedMinor).toBe(-1n);
    expect(rejected.corridorId).toBeNull();
  });

  it('names the corridor of what it accepts', () => {
    const own = given({ kind: 'own', claim }, [], { corridorId: 'GB-IN' });
    expect(only(own, 'transfer.accepted').instruction.corridorId).toBe('GB-IN');
  });

  it('shows of what is no transfer id a token, the same each time, and never the text itself', () => {
    const shown = (transferId: string) => {
      const odd = received('transfer.requested', transferRequested({ transferId }));
      return only(decide(odd, contextOf({ kind: 'none' }, [reason('CH16')])), 'intent.rejected').transferId;
    };
    const names = ['Marjorie Quickfall', 'x'.repeat(500), '', 'short', 'a:b:c:d:e', 'token:already', '\u202eabcdefgh'];
    for (const name of names) {
      expect(shown(name)).toMatch(/^token:[A-Za-z0-9_-]{43}$/);
      expect(shown(name)).toBe(shown(name));
      expect(name === '' || !shown(name).includes(name)).toBe(true);
    }
    expect(new Set(names.map(shown)).size).toBe(names.length);
    // Nor is it the token of a customer of that name.
    expect(shown('Marjorie Quickfall')).not.toContain(tokenOf('Marjorie Quickfall'));
    expect(shown('acme-000123')).toBe('acme-000123');
  });

  it('given a claim in a form that only a newer version knows, stops', () => {
    expect(given({ kind: 'unknown-hash', claim })).toMatchObject({
      kind: 'stop',
      cause: { code: 'CLAIM_HASH_UNKNOWN' },
    });
  });
});
