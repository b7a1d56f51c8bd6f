// What corridors last went by, and which jumps were accepted, over the log: followed, and written by pricing.

import { recordMaker } from '../ports/records.ts';
import { sealFlaw } from '../ports/seals.ts';
import type { AcceptedRates } from '../processors/fx-pricing/ports.ts';
import { createTable, type Table, type TableOptions } from '../runtime/hosts/table.ts';
import type { TransferPriced } from '../schemas/types.generated.ts';
import { fxAcceptedRates, fxJumpsAccepted } from '../topics/boundary.ts';
import { transferPriced } from '../topics/chain.ts';
import type { Connections } from './connections.ts';

type LogComponents = Pick<Connections, 'log' | 'codec'> & { readonly config: Pick<Connections['config'], 'keys'> };

/** What of the log these tables follow. */
export interface FollowedRates {
  readonly accepted: AcceptedRates;
  readonly tables: readonly Table<unknown>[];
  close(): Promise<void>;
}

const OWNER = 'fx-pricing';

/**
 * Followed, not started yet. A write is one request to the log, whatever transaction its batch is in: what is gone by holds
 * though the batch fails, and a batch that was never committed has priced nothing by it.
 * @param isDry nothing is ever written
 */
export function followedRates(
  { log, codec, config: { keys: rings } }: LogComponents,
  { onFault, isDry = false }: { readonly onFault?: TableOptions<'fx.rates'>['onFault']; readonly isDry?: boolean } = {},
): FollowedRates {
  const common = { log, codec, rings, ...(onFault && { onFault }) };
  const rates = createTable({ ...common, topic: fxAcceptedRates.name });
  const jumps = createTable({ ...common, topic: fxJumpsAccepted.name });
  let writer: ReturnType<typeof log.writer> | undefined;
  const write: AcceptedRates['write'] = async (accepted) => {
    const make = recordMaker({ owner: OWNER, writes: [fxAcceptedRates], codec, rings });
    // One that could not be had is asked for anew.
    writer ??= log.writer(OWNER);
    const open = await writer.catch((error: unknown) => {
      writer = undefined;
      throw error;
    });
    await open.send(accepted.map((rate) => make(fxAcceptedRates.name, rate, { partition: 0 })));
  };
  return {
    accepted: {
      last: (key) => rates.get(key),
      jump: (key) => jumps.get(key),
      write: isDry ? async () => undefined : write,
      ...(isDry ? {} : { lastPrices: () => lastPrices({ log, codec, config: { keys: rings } }) }),
    },
    tables: [rates, jumps],
    close: async () => (await writer?.catch(() => undefined))?.close(),
  };
}

/** Of the end of each partition: a corridor that was not priced by within so many is as one that never was. */
const MAX_PRICES = 5_000;

/** Prices that bear the seal of a stage, the last of each partition. @throws CodedError of the log and the registry */
async function lastPrices({ log, codec, config: { keys: rings } }: LogComponents) {
  const topic = transferPriced.name;
  await codec.load([topic]);
  const reader = log.reader();
  const ranges = (await reader.offsets([topic])).map((range) => ({
    ...range,
    from: Math.max(range.from, range.to - MAX_PRICES),
  }));
  const prices: Pick<TransferPriced, 'instruction' | 'price'>[] = [];
  await reader.read(ranges, async ({ records }) => {
    const proven = records.filter((record) => !record.unreadable && sealFlaw(rings, topic, record) === undefined);
    const values = proven.map(({ value }) => value);
    for (const result of await codec.decode(topic, values)) {
      if (!result.ok) continue;
      const { instruction, price } = result.value;
      prices.push({ instruction, price });
    }
  });
  return prices;
}
