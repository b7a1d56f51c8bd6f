// A list version that becomes active in each window between screening and the first byte: nothing is sent that it names, and
// what was sent before becomes a case.
import { describe, expect, inject, it } from 'vitest';
import type { TransferAccepted } from '../../schemas/types.generated.ts';
import { openIndexThread } from '../../screening/index/thread.ts';
import { activeInTable } from '../../services/screening.ts';
import { only, received, run } from '../kit/builders.ts';
import {
  activate,
  activateAlone,
  asNow,
  customersAgain,
  dispatched,
  entities,
  executor,
  followed,
  imported,
  inForce,
  once,
  outcome,
  requested,
  screened,
  screenerOver,
  screeningOver,
  stores,
  stranger,
  table,
  transferOf,
  useActivations,
} from './testing/activations.ts';

useActivations(inject('stack'));

const STOPPED = { phase: 'NEW', sent: 0, calls: 0 };

describe('before a transfer is asked for', () => {
  it('holds it when screening has heard of it', async () => {
    const name = stranger();
    await activate(name);
    await followed();
    const stage = screeningOver(activeInTable(table));
    const [decision] = await run(stage, [received('transfer.accepted', transferOf(name))]);
    const { screening } = only(decision, 'transfer.held');
    expect(screening!.lists).toEqual(await stores.lists.current());
  });

  it('holds it at dispatch when it came after screening, or while screening still built its index', async () => {
    const [first, second] = [stranger(), stranger()];
    // Screened before it became active.
    const early = await screened(transferOf(first), await asNow());
    // An instance that knows of it, and whose index over it is held up by the test.
    const held = Promise.withResolvers<void>();
    let builds = 0;
    const slow = screenerOver(activeInTable(table), async (plan) => {
      builds += 1;
      if (builds > 1) await held.promise;
      return openIndexThread(plan);
    });
    const stage = screeningOver(activeInTable(table), slow);
    await run(stage, [received('transfer.accepted', transferOf(stranger()))]);
    await activate(first, second);
    await followed();
    const [building] = await run(stage, [received('transfer.accepted', transferOf(second))]);
    const behind = only(building, 'transfer.screened');
    expect(behind.screening.lists).not.toEqual(await stores.lists.current());
    held.resolve();
    for (const each of [early, behind]) {
      const { hold, screening } = only(await dispatched(each, activeInTable(table)), 'transfer.held');
      expect(hold).toMatchObject({ stage: 'PAYOUT_DISPATCH', reasons: [{ code: 'RR04' }] });
      expect(screening!.rechecks).toMatchObject([{ outcome: 'POTENTIAL_MATCH', lists: await stores.lists.current() }]);
    }
  });

  it('holds it for an intermediary as for sender and beneficiary', async () => {
    const name = stranger();
    const early = await screened(transferOf(stranger(), stranger(), [stranger(), name]), await asNow());
    await activate(name);
    await followed();
    const { hold } = only(await dispatched(early, activeInTable(table)), 'transfer.held');
    expect(hold.reasons).toMatchObject([{ detail: expect.stringContaining('the intermediary 2 ') }]);
  });
});

describe('after it was asked for, nothing is sent when it became active', () => {
  it('before the executor looks', async () => {
    const name = stranger();
    const value = await requested(name);
    await activate(name);
    const payouts = executor({});
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it('although no other instance has heard of it: the command was cut off before the log', async () => {
    const name = stranger();
    const before = await asNow();
    const versionId = await imported(name);
    const cutOff = inForce(versionId, () => Promise.reject(new Error('cut off')));
    await expect(cutOff).rejects.toThrow('cut off');
    // Neither stage knows: both let it pass.
    const passed = await dispatched(await screened(transferOf(name), before), before);
    const value = only(passed, 'payout.requested');
    const payouts = executor({});
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
    expect(table.get('CORRIDOR')?.list.versionId).not.toBe(versionId);
    // Repeated, the command completes.
    expect((await inForce(versionId)).changed).toBe(false);
    await followed();
    expect(table.get('CORRIDOR')?.list.versionId).toBe(versionId);
  });

  it.each(['beforeInsert', 'afterInsert', 'afterBegin'] as const)('between the two looks: %s', async (barrier) => {
    const name = stranger();
    const value = await requested(stranger(), name);
    const payouts = executor({ [barrier]: once(() => activate(name)) });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it.each(['beforeBegin', 'afterBegin'] as const)('while it waited for the provider, and %s', async (barrier) => {
    const name = stranger();
    const value = await requested(name);
    const payouts = executor({ [barrier]: once(() => activate(name)) });
    payouts.provider.isReady = false;
    await payouts.handle(value);
    payouts.provider.isReady = true;
    await payouts.pollNow(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it('for a second time in quick succession, the second of which names a party', async () => {
    const [somebody, name] = [stranger(), stranger()];
    const value = await requested(name);
    const payouts = executor({
      beforeInsert: once(() => activate(somebody)),
      afterBegin: once(async () => {
        await activate(stranger());
        await activate(name);
      }),
    });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it('and is taken back as soon: what is in force at the last look decides', async () => {
    const name = stranger();
    const value = await requested(name);
    const before = entities;
    await activate(name);
    await activateAlone(before);
    const payouts = executor({});
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toMatchObject({ phase: 'PAID', sent: 1 });
  });

  it('unless it names neither party', async () => {
    const value = await requested(stranger());
    const payouts = executor({
      beforeInsert: once(() => activate(stranger())),
      afterBegin: once(() => activate(stranger())),
    });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toMatchObject({ phase: 'PAID', sent: 1 });
  });
});

describe('after the last look', () => {
  it('the payout is sent, and its customer becomes a case that blocks the next one', async () => {
    const name = stranger();
    const transfer = transferOf(name);
    const active = await asNow();
    const request = async (of: TransferAccepted) =>
      only(await dispatched(await screened(of, active), active), 'payout.requested');
    const value = await request(transfer);
    const payouts = executor({ afterLastLook: once(() => activate(name)) });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toMatchObject({ phase: 'PAID', sent: 1 });
    expect(await customersAgain([transfer])).toMatchObject({ opened: 1 });
    const { debtorToken } = value.instruction;
    expect((await stores.cases.blocked([debtorToken])).get(debtorToken)).toHaveLength(1);
  });
});
