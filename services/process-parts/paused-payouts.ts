// What people have paused, as the payout executor asks: of one payout, and of the provider as a whole.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { railOf } from '../../payouts/instruction.ts';
import type { PayoutPauses, ProviderClient } from '../../payouts/ports.ts';
import type { Controls } from '../../ports/controls.ts';

/** Undefined: nothing can be paused here. */
export function payoutPauses(
  controls: Controls | undefined,
  provider: string,
  book: CorridorBook,
): PayoutPauses | undefined {
  if (!controls) return undefined;
  return {
    get some() {
      return controls.mayPausePayouts;
    },
    of({ envelope, instruction, price }) {
      const { sourceCurrency: source, targetCurrency: target } = instruction;
      // A corridor that was taken out of the table has no other name than that of its pair.
      const corridor = book.between(source, target)?.id ?? `${source}-${target}`;
      const place = { provider, corridor, rail: railOf(price.credit), homePartition: envelope.homePartition };
      return controls.payoutPause(place);
    },
  };
}

/** The provider, which takes nothing while it is paused. It is asked about what it has all the same. */
export function pausable(provider: ProviderClient, controls: Controls | undefined): ProviderClient {
  if (!controls) return provider;
  const { name } = provider;
  return {
    name,
    ready: () => provider.ready() && controls.providerPause(name) === undefined,
    submit: (instruction, mayStart) => provider.submit(instruction, mayStart),
    query: (key) => provider.query(key),
    cancel: (key) => provider.cancel(key),
  };
}
