// Forms of the ledger: one of the release before is taken over, or closed and made anew, and nothing is counted into what goes.
import { describe, expect, inject, it } from 'vitest';
import { LIMIT_RULES } from '../../domain/limits/limit-rules.ts';
import { hydrateLimits } from '../../processors/limits/hydrate.ts';
import type { LimitOperation, LimitRequest } from '../../processors/limits/ports.ts';
import { requestedUse } from '../../processors/limits/requests.ts';
import { transferRejected } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { ledgerReading } from '../../test/kit/memory-ledger.ts';
import { limitsLedger } from './limits.ts';
import { countersIn, freshLedger } from './testing/rules-of-limits.ts';
import { redis, useSharedLimits } from './testing/shared-limits.ts';

useSharedLimits(inject('stack').redisLimitsUrl);

describe('a ledger of the release before', () => {
  it('is closed before the log is read: nothing is counted into what is thrown away', async () => {
    const { ledger: stage, namespace } = await freshLedger();
    const settle = { kind: 'settle', transferId: 'a', attempt: 1, state: 'open', uses: [] } as const;
    await stage.apply([settle]);
    const key = `${namespace}:generation`;
    await redis.set(key, (await redis.get(key))!.replace(':3.', ':2.'));
    const read = Object.assign(
      ledgerReading(async (add) => {
        await expect(stage.apply([settle])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
        await add('transfer.rejected', transferRejected());
        return undefined;
      }),
      { place: () => 'as far as that' },
    );
    expect(await hydrateLimits(stage, LIMIT_RULES, read)).toMatchObject({ rebuilt: true });
    // Another process sees that it is to be caught up, until one has done it.
    const other = limitsLedger(redis, { keys: KEYS.stages, namespace });
    const { due } = await hydrateLimits(other, LIMIT_RULES, read);
    expect(due).toMatchObject({ place: 'as far as that' });
    // One that saw the old generation takes nothing away from the new one.
    await other.close('of-before:1.old');
    await other.caughtUp(due!.marker);
    expect(await stage.status()).toEqual({ hydrated: true, marker: due!.marker });
  });

  it('has reserved with uses without metric, action and time: they are restored, and read as they were meant', async () => {
    const { ledger, namespace } = await freshLedger();
    const bucket = 'sender-day-gbp:sender-1:2026-11-23';
    const request: LimitRequest = {
      ...{ ruleId: 'sender-day-gbp', subjectToken: 'sender-1', window: '2026-11-23', currency: 'GBP', minor: 700n },
      ...{ limitMinor: 1_000n, action: 'reject', metric: 'amount', member: null, declaredMinor: null },
      ...{ freesAt: null, freedByReturn: true },
    };
    const of = { ...requestedUse(request, 700n), metric: null, action: null, freesAt: null, freedByReturn: true };
    await ledger.apply([{ kind: 'settle', transferId: 'old', attempt: 1, state: 'open', uses: [of] }]);
    const asked = (transferId: string, minor: bigint): LimitOperation => {
      return { kind: 'reserve', transferId, attempt: 1, requests: [{ ...request, minor }] };
    };
    const [again, over, fits] = await ledger.apply([asked('old', 700n), asked('new', 301n), asked('other', 300n)]);
    expect(again).toMatchObject({ kind: 'reserved', uses: [{ usedMinor: 700n, metric: null, action: null }] });
    expect([over!.kind, fits!.kind]).toEqual(['refused', 'reserved']);
    await ledger.apply([{ kind: 'settle', transferId: 'old', attempt: 1, state: 'released', uses: [of] }]);
    expect(await countersIn(namespace)).toEqual({ [bucket]: { used: 300n, open: 1 } });
  });
});
