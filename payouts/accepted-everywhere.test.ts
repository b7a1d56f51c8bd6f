// What intake accepts, the provider takes: nothing that passed is refused for its form when money is about to move.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_CHARACTERS } from '../processors/intake/bounds.ts';
import { DEFAULT_TIMING, reasonsAgainst } from '../processors/intake/validate.ts';
import { idempotencyKey, submitPayoutRequest } from '../simulator/api.ts';
import { AT, BOOK, payoutRequested, transferRequested, type Wishes } from '../test/kit/builders.ts';
import { instructionOf, openParties } from './instruction.ts';

const rules = { ...DEFAULT_TIMING, corridors: BOOK };
const unit = fc.constantFrom('a', 'é', 'ß', '李', '𠮷', '👍', "'", '-', ' ', '\u200c');
const hidden = fc.constantFrom('', '', '', '\u001b', '\u202e', '\ufffd');
const text = (most: number) =>
  fc
    .tuple(fc.constantFrom('a', '𠮷'), fc.string({ unit, minLength: most - 3, maxLength: most }), hidden)
    .map((parts) => parts.join(''));
/** One of many is at the bound: intake takes an intent only when all of its texts pass. */
const mostly = <T extends string | null>(usual: T, most: number) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: text(most) });
const account = fc.oneof(
  fc.record({
    scheme: fc.constant('VPA'),
    value: fc.integer({ min: 40, max: 70 }).map((length) => `${'r'.repeat(length - 7)}@okhdfc`),
    agent: fc.constantFrom(null, 'HDFC0000077', 'HDFCINBB', '\u001b[2J'),
  }),
  fc.constant({ scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' }),
);
const id = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{6,62}[A-Za-z0-9]$/),
);

it('goes for every text, at and around its bounds, whatever characters it has', () => {
  let accepted = 0;
  const wishes: fc.Arbitrary<Wishes> = fc.record({
    transferId: id,
    debtor: fc.record({
      name: mostly('Gwen Hartley', MAX_CHARACTERS['party.name']),
      address: mostly(null, MAX_CHARACTERS['party.address']),
      birthPlace: fc.constantFrom(null, { town: 'Leeds', country: 'GB' }),
      postalAddress: fc.option(
        fc.record({
          ...{ street: mostly('High Street', 70), building: mostly('1', 16), postCode: mostly(null, 16) },
          ...{ town: mostly('Leeds', 35), subdivision: mostly(null, 35) },
          country: fc.constantFrom('GB', null),
          lines: fc.array(mostly('c/o Porter', 70), { maxLength: 2 }),
        }),
        { nil: null },
      ),
    }),
    creditor: fc.record({ name: fc.oneof(fc.constant('Ravi Sharma'), text(MAX_CHARACTERS['party.name'])), account }),
    intent: fc.record({ endToEndId: fc.oneof(fc.constant('E2E-1'), text(MAX_CHARACTERS.endToEndId)) }),
  });
  fc.assert(
    fc.property(wishes, (of) => {
      if (reasonsAgainst(transferRequested(of), AT, rules).length > 0) return;
      accepted += 1;
      const requested = payoutRequested(of);
      const key = `${requested.envelope.transferId}:1`;
      const {
        key: _,
        beneficiary,
        expiresAt,
        remittanceInformation,
        amount,
        ...rest
      } = instructionOf(requested, openParties(requested)!, { key, expiresAt: AT + 60_000 } as never);
      const body = {
        ...rest,
        amount: { minor: amount.minor.toString(), currency: amount.currency },
        beneficiary: {
          ...beneficiary,
          ...{ bankCode: beneficiary.bankCode ?? undefined, address: beneficiary.address ?? undefined },
        },
        expiresAt: new Date(expiresAt).toISOString(),
        remittanceInformation: remittanceInformation ?? undefined,
      };
      expect(submitPayoutRequest.safeParse(body)).toMatchObject({ success: true });
      expect(idempotencyKey.safeParse(key).success).toBe(true);
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(20);
});
