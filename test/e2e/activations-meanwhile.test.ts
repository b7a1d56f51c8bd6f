// A list version that becomes active while a person looks at a held transfer, while customers are screened again, and while
// another one is put in force.
import { describe, expect, inject, it } from 'vitest';
import type { TransferHeld } from '../../schemas/types.generated.ts';
import { activeInTable } from '../../services/screening.ts';
import { only, received, reviewDecided, run, summary } from '../kit/builders.ts';
import {
  activate,
  casesOf,
  customersAgain,
  dispatched,
  followed,
  imported,
  inForce,
  screeningOver,
  stores,
  stranger,
  table,
  transferOf,
  useActivations,
} from './testing/activations.ts';

useActivations(inject('stack'));

describe('while a person looks at a held transfer', () => {
  /** Held for its sender, on a list of one's own. */
  async function heldOne(creditor: string): Promise<TransferHeld> {
    const name = stranger();
    await activate(name);
    await followed();
    const [decision] = await run(screeningOver(activeInTable(table)), [
      received('transfer.accepted', transferOf(name, creditor)),
    ]);
    return only(decision, 'transfer.held');
  }
  const approve = async (held: TransferHeld, over: Parameters<typeof reviewDecided>[1] = {}) => {
    const stage = screeningOver(activeInTable(table));
    const command = { ...reviewDecided(held).command, commandId: `approve-${held.hold.holdId}` };
    const [decision] = await run(stage, [received('review.decided', reviewDecided(held, { command, ...over }))]);
    return decision;
  };

  it('holds it again for a new hit, and only for that', async () => {
    const creditor = stranger();
    const held = await heldOne(creditor);
    await activate(creditor);
    await followed();
    const again = only(await approve(held), 'transfer.held');
    expect(again.hold.holdId).not.toBe(held.hold.holdId);
    expect(again.hold.reasons).toMatchObject([{ detail: expect.stringContaining('the beneficiary ') }]);
    const [recheck] = again.screening!.rechecks;
    expect(recheck!.parties.map(({ outcome: found }) => found)).toEqual(['CLEAR', 'POTENTIAL_MATCH']);
    expect(recheck!.lists).toEqual(await stores.lists.current());
    // The decision on what was held first is worth nothing for what is held now.
    expect(await approve(again, { evidenceHash: held.hold.evidenceHash })).toEqual([]);
    expect(summary(await approve(again))).toBe('transfer.screened');
  });

  it('lets it go on when what is new names nobody of it', async () => {
    const held = await heldOne(stranger());
    await activate(stranger());
    await followed();
    const on = only(await approve(held), 'transfer.screened');
    expect(on.screening.outcome).toBe('APPROVED');
    expect(on.screening.rechecks).toMatchObject([{ outcome: 'CLEAR', lists: await stores.lists.current() }]);
  });

  it('is found at dispatch when it became active between the look and the commit', async () => {
    const creditor = stranger();
    const held = await heldOne(creditor);
    const stage = screeningOver(activeInTable(table));
    const input = received('review.decided', reviewDecided(held));
    const [context] = await stage.prepare([input]);
    await activate(creditor);
    await followed();
    const on = only(stage.decide(input, context!), 'transfer.screened');
    const { hold } = only(await dispatched(on, activeInTable(table)), 'transfer.held');
    expect(hold.reasons).toMatchObject([{ detail: expect.stringContaining('the beneficiary ') }]);
  });
});

describe('while customers are screened again', () => {
  it('another one is caught up with by the next run, for those who had their turn too', async () => {
    const [first, second] = [stranger(), stranger()];
    const known = [transferOf(second), transferOf(first)];
    await activate(first);
    expect(await customersAgain(known, { afterFirst: () => activate(second) })).toMatchObject({ opened: 1 });
    expect([await casesOf(known[0]!), await casesOf(known[1]!)]).toMatchObject([[], [{}]]);
    expect(await customersAgain(known)).toMatchObject({ opened: 1 });
    expect(await casesOf(known[0]!)).toHaveLength(1);
    expect(await customersAgain(known)).toBeUndefined();
  });

  it('two in quick succession are one difference', async () => {
    const names = [stranger(), stranger()];
    const known = names.map((name) => transferOf(name));
    for (const name of names) await activate(name);
    expect(await customersAgain(known)).toMatchObject({ opened: 2, transfers: 2 });
  });

  const die = () => Promise.reject(new Error('died'));
  it.each<[string, Parameters<typeof customersAgain>[1]]>([
    ['before the cases are written', { open: die }],
    ['after them, before anybody knows', { open: (open) => open().then(die) }],
    ['before the progress is written', { advance: die }],
  ])('a process that dies %s is made up for by another, and no case is opened twice', async (_, death) => {
    const name = stranger();
    const known = [transferOf(name), transferOf(stranger())];
    await activate(name);
    await expect(customersAgain(known, death)).rejects.toThrow('died');
    await customersAgain(known);
    expect(await casesOf(known[0]!)).toHaveLength(1);
    expect(await customersAgain(known)).toBeUndefined();
  });
});

describe('two commands at once', () => {
  it('leave in the log what is durably in force', async () => {
    const [one, other] = [await imported(stranger()), await imported(stranger())];
    const results = await Promise.allSettled([inForce(one), inForce(other)]);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ACTIVATION_RACED' });
    }
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    await followed();
    const [durable] = await stores.lists.active();
    expect(table.get('CORRIDOR')!.list).toEqual(durable!.list);
    expect(durable!.published).toBe(true);
    await inForce(other);
    await followed();
  });
});
