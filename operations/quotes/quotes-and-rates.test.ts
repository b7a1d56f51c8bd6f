// What quotes do to the guard against rates that jump: by quotes alone too each rate is held against those before it.
import { describe, expect, it } from 'vitest';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import { AT, fxRate, only, received, run, transferScreened } from '../../test/kit/builders.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { MINUTE, naming, quoted, tableOf, type World, world } from './testing/quoted-world.ts';

/** As GB-IN, where a rate that is five per cent away waits for a person. */
const unquoted = () => received('transfer.screened', transferScreened({ transferId: 'transfer-0009' }));
const goneBy = ({ accepted }: World) =>
  accepted.acceptedRecords.map(({ rate, version }: AcceptedRate) => [rate, version] as const);

describe('a quote', () => {
  it('that only shows a price moves nothing that later rates are held against', async () => {
    const here = world();
    await quoted(here, { kind: 'INDICATIVE' });
    expect(goneBy(here)).toEqual([]);
  });

  it('that binds is what the next is held against where nothing was gone by before, once', async () => {
    const here = world();
    await quoted(here);
    expect(goneBy(here)).toEqual([['125.2579', 1]]);
    here.rate = '127';
    await quoted(here, {}, 'order-0002');
    expect(goneBy(here)).toEqual([['125.2579', 1]]);
  });

  it('is none of a rate that jumped from the one before, also by another process, and an unquoted transfer waits', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
    here.rate = '1252.579';
    await expect(quoted(here, {}, 'order-0002')).rejects.toThrow('RATE');
    expect((await run(here.stage(), [unquoted()]))[0]).toMatchObject({
      kind: 'wait',
      cause: { code: 'RATE_JUMPED' },
      forPerson: true,
    });
    // What was given before binds, and takes the wrong rate for nothing.
    const again = (await run(here.stage(), [naming(quoteId)]))[0];
    expect(only(again, 'transfer.priced').price.credit).toEqual(price.credit);
    expect(goneBy(here).map(([rate]) => rate)).not.toContain('1252.579');
  });

  it('is given as rates drift far, step by step, though all transfers name quotes', async () => {
    const here = world();
    for (let step = 0; step < 40; step++) {
      here.rate = (125 * 1.01 ** step).toFixed(4);
      const { quoteId, price } = await quoted(here, {}, `order-1${step}`);
      const [decision] = await run(here.stage(), [naming(quoteId, `transfer-1${step}`, {}, here.now)]);
      expect(only(decision, 'transfer.priced').price.credit).toEqual(price.credit);
      here.now += MINUTE;
    }
    expect(Number(goneBy(here).at(-1)![0])).toBeGreaterThan(180);
  });

  it('makes nobody go by a rate before the log has taken it', async () => {
    const here = world();
    const { request } = await quoted(here, { kind: 'INDICATIVE' }, 'order-0000');
    const binding = { ...request, kind: 'GUARANTEED' as const };
    const accepted = { ...memoryRates(), write: () => Promise.reject(new Error('no log')) };
    const rates = tableOf(fxRate());
    const stage = here.stage(undefined, { accepted, rates });
    await expect(stage.quote([{ request: binding, askedAt: AT }])).rejects.toThrow('no log');
    const { quoteId } = await quoted(here);
    await expect(stage.prepare([naming(quoteId)])).rejects.toThrow('no log');
    // It has claimed: later it has its price.
    only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
  });
});
