// What corridors last went by, and which jumps were accepted, over the log: followed, and written by pricing.

import { recordMaker } from '../ports/records.ts';
import type { AcceptedRates } from '../processors/fx-pricing/ports.ts';
import { createTable, type Table, type TableOptions } from '../runtime/hosts/table.ts';
import { fxAcceptedRates, fxJumpsAccepted } from '../topics/boundary.ts';
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
    },
    tables: [rates, jumps],
    close: async () => (await writer?.catch(() => undefined))?.close(),
  };
}
