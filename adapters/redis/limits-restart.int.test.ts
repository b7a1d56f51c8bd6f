// A Redis of our own, killed: its memory may be behind what it acknowledged, so the ledger must not be believed until it is
// rebuilt from the log.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMIT_RULES } from '../../domain/limits/limit-rules.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { hydrateLimits } from '../../processors/limits/hydrate.ts';
import type { Reserve } from '../../processors/limits/ports.ts';
import { requestsOf } from '../../processors/limits/requests.ts';
import { AT, LIMIT_BOOK, reservedFrom, transferPriced } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { ledgerReading } from '../../test/kit/memory-ledger.ts';
import { limitsLedger } from './limits.ts';
import { limitsClient, ready } from './limits-client.ts';

let stack: LocalStack;
let redis: Redis;
beforeAll(async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-limits-'));
  stack = await startStack({ stateDir, ephemeral: true, kinds: ['redisLimits'], env: {} });
  redis = limitsClient({ url: stack.urls.redisLimitsUrl });
  await ready(redis);
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

const priced = transferPriced({ transferId: 'killed-0001' });
const reserve = (transferId: string): Reserve => ({
  kind: 'reserve',
  transferId,
  attempt: 1,
  requests: requestsOf(priced, AT, LIMIT_BOOK),
});
/** The log holds one reservation. */
const read = ledgerReading(async (add) => {
  await add('transfer.reserved', reservedFrom(priced));
  return undefined;
});

describe('the ledger of a Redis that was killed', () => {
  it('closes, although everything is still there, and comes back from the log', async () => {
    const ledger = limitsLedger(redis, { keys: KEYS.stages });
    await hydrateLimits(ledger, LIMIT_RULES, read);
    const [before] = await ledger.apply([reserve('killed-0001')]);
    await ledger.apply([reserve('never-committed')]);

    await stack.kill('redisLimits', 'SIGKILL');
    await expect(ledger.apply([reserve('killed-0001')])).rejects.toMatchObject({ faultClass: 'transient-dependency' });
    await stack.restart('redisLimits');
    await ready(redis);

    await expect(ledger.apply([reserve('killed-0001')])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
    expect(await hydrateLimits(ledger, LIMIT_RULES, read)).toEqual({ rebuilt: true, transfers: 1, short: [] });
    expect(await ledger.apply([reserve('killed-0001')])).toEqual([before]);
    // What the log does not hold was never decided: it is reserved anew, on top of the one transfer that counts.
    expect(await ledger.apply([reserve('never-committed')])).toMatchObject([
      { uses: [{ usedMinor: 200_000n }, { usedMinor: 200_000n }] },
    ]);
    expect(await hydrateLimits(ledger, LIMIT_RULES, read)).toMatchObject({ rebuilt: false, transfers: 0, short: [] });
  });
});
