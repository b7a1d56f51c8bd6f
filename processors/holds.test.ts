// A command is no evidence: what is resumed bears the seal of a stage, and who decided bears that of an operator.
import { describe, expect, it } from 'vitest';
import { HOLD_EXPIRY } from '../domain/people/identities.ts';
import { keyRing } from '../domain/seals/seal.ts';
import type { ReviewDecided, Stage, TransferHeld } from '../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  heldByDispatch,
  received,
  reviewDecided,
  transferHeld,
  transferHeldByLimits,
} from '../test/kit/builders.ts';
import { HOLDING, KEYS, sealOfReview } from '../test/kit/keys.ts';
import { memoryHoldClaims } from '../test/kit/memory-claims.ts';
import { heldOf, type ReviewVerdict, settleReviews } from './holds.ts';
import { needsTwoBy } from './second-person.ts';

const STRANGER = keyRing('stranger:a-key-that-nobody-here-has-ever-seen-00');
const { ttlMs } = HOLDING;
const EXPIRES = AT + ttlMs;

async function verdict(
  value: ReviewDecided,
  over: { now?: number; appendedAt?: number; stage?: Stage; holds?: ReturnType<typeof memoryHoldClaims> } = {},
): Promise<ReviewVerdict> {
  const { now = AT + 5_000, appendedAt = AT + 4_000, stage = value.held.hold.stage } = over;
  const placed = received('review.decided', value, { appendedAt });
  const [found] = await settleReviews(over.holds ?? memoryHoldClaims(), [placed], { stage, now, keys: KEYS });
  return found!;
}
const codeOf = (found: ReviewVerdict) =>
  found.kind === 'dropped' ? found.cause.code : found.kind === 'halt' ? found.disposition.kind : found.kind;

const expiry = (held: TransferHeld, decision: 'APPROVE' | 'REJECT' = 'REJECT'): ReviewDecided => {
  const { command } = reviewDecided(held);
  return reviewDecided(held, { decision, seal: null, command: { ...command, issuedBy: HOLD_EXPIRY } });
};

describe.each<[Stage, () => TransferHeld]>([
  ['SCREENING', transferHeld],
  ['LIMITS', transferHeldByLimits],
  ['PAYOUT_DISPATCH', heldByDispatch],
])('a decision on what %s holds', (stage, make) => {
  const held = make();
  const { hold, ...event } = held;

  it('is honoured when both seals are right', async () => {
    expect(await verdict(reviewDecided(held), { stage })).toMatchObject({ kind: 'honour', approved: true });
  });

  it.each<[string, string, () => ReviewDecided]>([
    [
      'a made-up held transfer without a seal',
      'HOLD_NOT_SEALED',
      () => reviewDecided({ ...held, hold: { ...hold, seal: null } }),
    ],
    [
      'a made-up held transfer, sealed with a key of a stranger',
      'HOLD_NOT_SEALED',
      () => reviewDecided(heldOf(event, hold, { ...HOLDING, stages: STRANGER })),
    ],
    [
      'a made-up held transfer, sealed with the key of operators',
      'HOLD_NOT_SEALED',
      () => reviewDecided(heldOf(event, hold, { ...HOLDING, stages: KEYS.operators })),
    ],
    [
      'another amount under the seal of the hold',
      'EVIDENCE_MISMATCH',
      () => reviewDecided({ ...held, instruction: { ...held.instruction, purposeCode: 'other' } }),
    ],
    [
      'another amount, its hash computed anew',
      'HOLD_NOT_SEALED',
      () => {
        const instruction = { ...held.instruction, purposeCode: 'other' };
        const forged = heldOf({ ...event, instruction }, hold, HOLDING);
        return reviewDecided({ ...forged, hold: { ...forged.hold, seal: hold.seal } });
      },
    ],
    [
      'a later expiry under the seal of the hold',
      'HOLD_NOT_SEALED',
      () => reviewDecided({ ...held, hold: { ...hold, expiresAt: hold.expiresAt + 1 } }),
    ],
    ['a decision without a seal', 'DECISION_NOT_SEALED', () => reviewDecided(held, { seal: null })],
    [
      'a rejection that was turned into an approval',
      'DECISION_NOT_SEALED',
      () => reviewDecided(held, { seal: sealOfReview(reviewDecided(held, { decision: 'REJECT' })) }),
    ],
    [
      'a decision under the name of another',
      'DECISION_NOT_SEALED',
      () => ({ ...reviewDecided(held), command: { ...reviewDecided(held).command, issuedBy: 'bruno' } }),
    ],
    [
      'a decision that was made earlier than it was',
      'DECISION_NOT_SEALED',
      () => ({ ...reviewDecided(held), command: { ...reviewDecided(held).command, issuedAt: AT } }),
    ],
    ['an approval by the lapse of the hold', 'EXPIRY_NO_REJECTION', () => expiry(held, 'APPROVE')],
    [
      'an unknown decision of a stranger',
      'DECISION_NOT_SEALED',
      () => reviewDecided(held, { decision: 'UNKNOWN', seal: null }),
    ],
  ])('has no effect, and claims nothing: %s', async (_, code, forged) => {
    const holds = memoryHoldClaims();
    expect(codeOf(await verdict(forged(), { stage, holds, now: EXPIRES + 1 }))).toBe(code);
    expect(holds.store.size).toBe(0);
  });
});

describe('the lapse of a hold', () => {
  const held = transferHeld();

  it('rejects when our clock too is past it, whoever says so', async () => {
    const found = await verdict(expiry(held), { now: EXPIRES + 1 });
    expect(found).toMatchObject({ kind: 'honour', approved: false, lapse: 'undecided' });
  });

  it('waits, and claims nothing, while our clock is not past it', async () => {
    const holds = memoryHoldClaims();
    const found = await verdict(expiry(held), { now: EXPIRES, appendedAt: EXPIRES + 9_000, holds });
    expect(found).toMatchObject({
      kind: 'halt',
      disposition: { kind: 'wait', untilMs: EXPIRES + 1, cause: { code: 'HOLD_NOT_EXPIRED' } },
    });
    expect(holds.store.size).toBe(0);
  });

  it.each(['Hold-Expiry', 'HOLD-EXPIRY', 'hold_expiry'])(
    'is not told by a person who calls himself %s',
    async (name) => {
      const { command } = reviewDecided(held);
      const claimed = reviewDecided(held, { seal: null, decision: 'REJECT', command: { ...command, issuedBy: name } });
      expect(codeOf(await verdict(claimed, { now: EXPIRES + 1 }))).toBe('DECISION_NOT_SEALED');
    },
  );

  it.each<[string, number, number, boolean]>([
    ['in time by both clocks', EXPIRES, EXPIRES, true],
    ['late by the clock of the broker alone', EXPIRES + 60_000, EXPIRES, true],
    ['in the log in time, read after an outage', EXPIRES, EXPIRES + 86_400_000, true],
    ['late', EXPIRES + 1, EXPIRES + 1, false],
    ['thirty days late', EXPIRES + 30 * 86_400_000, EXPIRES + 30 * 86_400_000, false],
  ])('makes an approval a rejection when it comes late: %s', async (_, appendedAt, now, approved) => {
    const found = await verdict(reviewDecided(held), { appendedAt, now });
    expect(found).toMatchObject({ kind: 'honour', approved });
    if (approved) return;
    expect(found).toMatchObject({
      lapse: 'late',
      review: { decision: 'REJECT', decidedBy: HOLD_EXPIRY, decidedAt: now },
    });
  });

  it('and a late approval end the hold once, in whichever order they come, and say the same when they run again', async () => {
    const late = reviewDecided(held);
    const swept = { ...expiry(held), command: { ...expiry(held).command, commandId: 'of the sweeper' } };
    for (const order of [
      [late, swept],
      [swept, late],
    ]) {
      const holds = memoryHoldClaims();
      const at = EXPIRES + 10;
      const first = await verdict(order[0]!, { now: at, appendedAt: at, holds });
      expect(first).toMatchObject({ kind: 'honour', approved: false });
      expect(codeOf(await verdict(order[1]!, { now: at, appendedAt: at, holds }))).toBe('HOLD_TAKEN');
      expect(await verdict(order[0]!, { now: at + 60_000, appendedAt: at, holds })).toEqual(first);
    }
  });

  it('does not undo an approval that came in time', async () => {
    const holds = memoryHoldClaims();
    await verdict(reviewDecided(held), { holds });
    const swept = { ...expiry(held), command: { ...expiry(held).command, commandId: 'of the sweeper' } };
    expect(codeOf(await verdict(swept, { holds, now: EXPIRES + 1 }))).toBe('HOLD_TAKEN');
    expect(await verdict(reviewDecided(held), { holds, now: EXPIRES + 9 })).toMatchObject({ approved: true });
  });
});

describe('an approval that takes two persons', () => {
  const large = transferHeld({ intent: { instructedAmount: { minor: 20_000_00n, currency: 'GBP' } } });
  const small = transferHeld();
  const matched: TransferHeld = (() => {
    const { hold: _, screening, ...event } = small;
    const parties = screening!.parties.map((party) => ({ ...party, outcome: 'TRUE_MATCH' as const }));
    const { stage, reasons } = small.hold;
    return heldOf({ ...event, screening: { ...screening!, parties } }, { stage, reasons }, HOLDING);
  })();
  const keys = { ...KEYS, needsTwo: needsTwoBy({ approveFrom: 'LARGE', onTrueMatch: true }, BOOK) };
  const codeFor = async (value: ReviewDecided) => {
    const terms = { stage: value.held.hold.stage, now: AT + 5_000, keys };
    const placed = received('review.decided', value, { appendedAt: AT + 4_000 });
    return codeOf((await settleReviews(memoryHoldClaims(), [placed], terms))[0]!);
  };

  it.each([
    ['a large amount', large],
    ['a true match', matched],
  ])('for %s names both, under its seal, or the broken glass', async (_, held) => {
    expect(await codeFor(reviewDecided(held))).toBe('DECISION_OF_ONE');
    expect(await codeFor(reviewDecided(held, { decision: 'REJECT' }))).toBe('honour');
    expect(await codeFor(reviewDecided(held, { agreedBy: 'bela' }))).toBe('honour');
    expect(await codeFor(reviewDecided(held, { glass: 'glass-1' }))).toBe('honour');
    for (const nobody of ['amara', 'AMÁRA', ' ', '', 'hold-expiry', 'system']) {
      expect([nobody, await codeFor(reviewDecided(held, { agreedBy: nobody }))]).toEqual([nobody, 'DECISION_OF_ONE']);
    }
    expect(await codeFor(reviewDecided(held, { glass: '' }))).toBe('DECISION_OF_ONE');
    // Who could add the second name could act alone: it is under the seal.
    const alone = reviewDecided(held);
    expect(await codeFor({ ...alone, agreedBy: 'bela' })).toBe('DECISION_NOT_SEALED');
    expect(await codeFor({ ...alone, glass: 'glass-1' })).toBe('DECISION_NOT_SEALED');
    const both = reviewDecided(held, { agreedBy: 'bela' });
    expect(await codeFor({ ...both, agreedBy: 'carl' })).toBe('DECISION_NOT_SEALED');
    expect(await codeFor({ ...both, agreedBy: null })).toBe('DECISION_NOT_SEALED');
    expect(await codeFor({ ...both, agreedBy: null, glass: 'bela' })).toBe('DECISION_NOT_SEALED');
    // Nor can the approval be made another. One of before that approvals were named is read as it was sealed.
    expect(await codeFor({ ...both, approvalId: 'a', approvalHash: 'h' })).toBe('DECISION_NOT_SEALED');
    const named = reviewDecided(held, { agreedBy: 'bela', approvalId: 'a', approvalHash: 'h' });
    expect(await codeFor(named)).toBe('honour');
    for (const over of [{ approvalId: 'b' }, { approvalHash: 'i' }, { approvalId: null, approvalHash: null }])
      expect(await codeFor({ ...named, ...over })).toBe('DECISION_NOT_SEALED');
    // An approval that is named is no second person.
    expect(await codeFor(reviewDecided(held, { approvalId: 'a', approvalHash: 'h' }))).toBe('DECISION_OF_ONE');
  });

  it('is one person’s where nothing asks for two', async () => {
    expect(await codeFor(reviewDecided(small))).toBe('honour');
  });
});
