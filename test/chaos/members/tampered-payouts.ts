// Member: somebody who has the database changes payouts under way, so that Mallory would be paid, and the operator puts the
// documents back from a backup.
//
// What must come of it: nothing is sent or reported of a payout while it is forged; once it is back, the transfer comes to its
// end like any other. How the judge knows: the books, and no submit at the provider that names Mallory's account. A payout
// that is never put back waits for a person; it is not lost, but this run could not tell it from one that is.
import { setTimeout as sleep } from 'node:timers/promises';
import { Binary } from 'mongodb';
import { PAYOUTS } from '../../../adapters/mongo/payouts.ts';
import { beneficiaryDigest } from '../../../payouts/answer-match.ts';
import type { Random } from '../../../samples/random.ts';
import type { Parties } from '../../../schemas/types.generated.ts';
import type { Done } from '../injected.ts';
import type { World } from '../world.ts';
import { toMallory } from './forged-values.ts';

export interface PayoutTamperFault {
  readonly kind: 'payout-tamper';
  /** How many at a time, where there are so many under way. */
  readonly payouts: number;
  readonly forMs: number;
}

export const payoutTamperFault = (random: Random): PayoutTamperFault => ({
  kind: 'payout-tamper',
  payouts: 3,
  forMs: 2_000 + random.below(4_000),
});

/** Digests under which the provider would name Mallory, with the transfer. */
export type Forbidden = Map<string, string>;

/** Until payouts are under way. */
const LOOK_EVERY_MS = 200;
const MAX_LOOKS = 75;

interface Changed {
  readonly _id: string;
  readonly before: Binary;
  readonly after: Binary;
}

export async function tamperWithPayouts(world: World, fault: PayoutTamperFault, forbidden: Forbidden): Promise<Done> {
  const changed: Changed[] = [];
  try {
    for (let looks = 0; changed.length === 0 && looks < MAX_LOOKS; looks++) {
      // MongoDB may be away.
      await change(world, fault.payouts, { changed, forbidden }).catch(() => undefined);
      await sleep(LOOK_EVERY_MS);
    }
    await sleep(fault.forMs);
  } finally {
    for (const one of changed) await restored(world, one);
  }
  const tampered = changed.length === 0 ? 'no payout was under way' : `${changed.length} payouts`;
  return { outcome: tampered, counts: changed.map(() => 'payoutsTampered') };
}

/** Payouts that have something to do, changed. */
async function change(
  world: World,
  count: number,
  { changed, forbidden }: { readonly changed: Changed[]; readonly forbidden: Forbidden },
): Promise<void> {
  const { codec } = world.connections;
  await codec.load(['payout.requested']);
  const payouts = (await world.connections.db()).collection<{ _id: string; requested: Binary }>(PAYOUTS);
  const busy = { $or: [{ nextSubmitAt: { $exists: true } }, { nextPollAt: { $exists: true } }] };
  const found = await payouts
    .find({ ...busy, phase: { $ne: 'PAID' } }, { projection: { requested: 1 } })
    .limit(count)
    .toArray();
  for (const { _id, requested: before } of found) {
    const [decoded] = await codec.decode('payout.requested', [Buffer.from(before.value())]);
    if (!decoded?.ok) continue;
    const forged = toMallory(decoded.value);
    const [{ creditor }] = Object.values(forged.parties) as [Parties];
    const { value: account, agent: bankCode } = creditor.account;
    const beneficiary = { name: creditor.name, account, bankCode, country: creditor.country };
    forbidden.set(beneficiaryDigest({ transferId: _id, beneficiary } as Parameters<typeof beneficiaryDigest>[0]), _id);
    const after = new Binary(codec.encode('payout.requested', forged));
    // Noted first: it is put back also where nobody knows whether it was changed.
    changed.push({ _id, before, after });
    await payouts.updateOne({ _id, requested: before }, { $set: { requested: after } });
  }
}

/** As long as it takes: MongoDB may be away. */
async function restored(world: World, { _id, before, after }: Changed): Promise<void> {
  for (;;) {
    try {
      const payouts = (await world.connections.db()).collection<{ _id: string; requested: Binary }>(PAYOUTS);
      await payouts.updateOne({ _id, requested: after }, { $set: { requested: before } });
      return;
    } catch {
      await sleep(500);
    }
  }
}
