// Forms of the ledger: one of the release before is taken over, or closed and made anew, and nothing is counted into what goes.
import { describe, expect, inject, it } from 'vitest';
import { type LimitRule, senderDayRule } from '../../domain/limits/limit-rules.ts';
import { hydrateLimits } from '../../processors/limits/hydrate.ts';
import type { LimitOperation, LimitRequest } from '../../processors/limits/ports.ts';
import { requestedUse } from '../../processors/limits/requests.ts';
import { transferRejected } from '../../test/kit/builders.ts';
import { ledgerReading } from '../../test/kit/memory-ledger.ts';
import { ledgerFormOf, limitsLedger } from './limits.ts';
import { countersIn, freshLedger, NOTHING, RULES } from './testing/rules-of-limits.ts';
import { redis, useSharedLimits } from './testing/shared-limits.ts';

useSharedLimits(inject('stack').redisLimitsUrl);

describe('a ledger of the release before', () => {
  const rolling: LimitRule = {
    ...senderDayRule({ ruleId: 'r', currency: 'GBP', limitMinor: 10n, action: 'reject', freedByReturn: true }),
    window: { kind: 'rolling', unit: 'day', length: 30 },
  };

  it('is taken over as it is while the rules are those of before, and rebuilt from the log once they are not', async () => {
    const { ledger, namespace } = await freshLedger(1);
    const [old] = Object.values(RULES);
    expect(old).toBeDefined();
    await ledger.apply([{ kind: 'settle', transferId: 'a', attempt: 1, state: 'open', uses: [] }]);
    const before = senderDayRule({
      ruleId: 'b',
      currency: 'GBP',
      limitMinor: 10n,
      action: 'reject',
      freedByReturn: true,
    });
    const same = limitsLedger(redis, { namespace, form: ledgerFormOf([before]) });
    expect(await same.status()).toMatchObject({ hydrated: true });
    const next = limitsLedger(redis, { namespace, form: ledgerFormOf([before, rolling]) });
    const { hydrated, marker } = await next.status();
    expect(hydrated).toBe(false);
    expect(await next.replaceAll(NOTHING, marker)).toBe('replaced');
    // Back to rules of before: what is newer is known, and goes on.
    expect(await same.status()).toMatchObject({ hydrated: true });
  });

  it('is closed while it is rebuilt in another form: nothing is counted into what is thrown away', async () => {
    const { namespace } = await freshLedger(1);
    let form: 1 | 2 = 1;
    const stage = limitsLedger(redis, { namespace, form: () => form });
    const settle = { kind: 'settle', transferId: 'a', attempt: 1, state: 'open', uses: [] } as const;
    await stage.apply([settle]);
    form = 2;
    const read = Object.assign(
      ledgerReading(async (add) => {
        await expect(stage.apply([settle])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
        await add('transfer.rejected', transferRejected());
        return undefined;
      }),
      { place: () => 'as far as that' },
    );
    expect(await hydrateLimits(stage, [rolling], read)).toMatchObject({ rebuilt: true });
    // Another process sees that it is to be caught up, until one has done it.
    const other = limitsLedger(redis, { namespace, form: () => form });
    const { due } = await hydrateLimits(other, [rolling], read);
    expect(due).toMatchObject({ place: 'as far as that' });
    // One that saw the old generation takes nothing away from the new one.
    await other.close('of-before:1.old');
    await other.caughtUp(due!.marker);
    expect(await stage.status()).toEqual({ hydrated: true, marker: due!.marker });
  });

  it.each<LimitRule['window']>([
    { kind: 'lifetime' },
    { kind: 'calendar', unit: 'week', timeZone: 'UTC', weekStart: 'monday' },
    { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
    { kind: 'calendar', unit: 'year', timeZone: 'UTC', yearStart: 4 },
  ])('is not shared with a process that would forget a window longer than a day: $kind $unit', (window) => {
    expect(ledgerFormOf([{ ...rolling, window }])).toBe(2);
    expect(ledgerFormOf([{ ...rolling, window: { kind: 'transfer' } }])).toBe(1);
  });

  it('that wrote uses without metric, action and time has them read as they were meant', async () => {
    const { ledger, namespace } = await freshLedger(1);
    const prefix = `${namespace}:${(await redis.get(`${namespace}:generation`))!.split(':')[1]}:`;
    const bucket = 'sender-day-gbp:sender-1:2026-11-23';
    const outcome =
      '{"k":"reserved","used":["700"],"uses":[["sender-day-gbp","sender-1","2026-11-23","GBP","700","1000"]]}';
    const uses = JSON.stringify([{ b: bucket, m: '700' }]);
    await redis.hset(`${prefix}t:old`, { state: 'open', attempt: '1', uses, outcome });
    await redis.hset(`${prefix}c:${bucket}`, { used: '700', open: '1' });
    const request: LimitRequest = {
      ...{ ruleId: 'sender-day-gbp', subjectToken: 'sender-1', window: '2026-11-23', currency: 'GBP', minor: 700n },
      ...{ limitMinor: 1_000n, action: 'reject', metric: 'amount', member: null, declaredMinor: null },
      ...{ freesAt: null, freedByReturn: true },
    };
    const asked = (transferId: string, minor: bigint): LimitOperation => {
      return { kind: 'reserve', transferId, attempt: 1, requests: [{ ...request, minor }] };
    };
    const [again, over, fits] = await ledger.apply([asked('old', 700n), asked('new', 301n), asked('other', 300n)]);
    expect(again).toMatchObject({ kind: 'reserved', uses: [{ usedMinor: 700n, metric: null, action: null }] });
    expect([over!.kind, fits!.kind]).toEqual(['refused', 'reserved']);
    const settled = { ...requestedUse(request, 700n), metric: null, action: null, freesAt: null, freedByReturn: true };
    await ledger.apply([{ kind: 'settle', transferId: 'old', attempt: 1, state: 'released', uses: [settled] }]);
    expect(await countersIn(namespace)).toEqual({ [bucket]: { used: 300n, open: 1 } });
  });
});
