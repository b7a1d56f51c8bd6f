// What payout dispatch has asked for, provably: an expired payout is priced again on nothing else. Whoever has the keys of the
// executor alone has no other transfer, payee or amount priced and paid.
import { isSealedRecord } from '../../domain/seals/record-seal.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { askSome } from '../../ports/ask-some.ts';
import type { PayoutRequested, PayoutUpdated } from '../../schemas/types.generated.ts';

export interface Dispatched {
  /** Keys of the stages. */
  readonly stages: KeyRing;
  /** Reads values of payout.requested, in order; undefined for other bytes. Rejects when the registry cannot be asked. */
  readonly open: (values: readonly Buffer[]) => Promise<readonly (PayoutRequested | undefined)[]>;
}

/** Of each update, the event that asked for its payout; undefined: it has to be proven, and is not. */
export async function dispatchedOf(
  updates: readonly PayoutUpdated[],
  { stages, open }: Dispatched,
): Promise<readonly (PayoutRequested | undefined)[]> {
  const sealed = updates.map((update) => isProven(update, stages));
  const values = updates.map(({ asked }, i) => (sealed[i] && asked ? asked.value : undefined));
  const opened = await askSome(values, open);
  return updates.map(({ payout, requested }, i) => {
    if (payout.status !== 'EXPIRED') return requested;
    if (values[i]) return opened[i];
    return stages.believesAll ? requested : undefined;
  });
}

function isProven({ asked, command, payout }: PayoutUpdated, stages: KeyRing): boolean {
  if (payout.status !== 'EXPIRED' || !asked) return false;
  return isSealedRecord(stages, { topic: 'payout.requested', key: command.transferId, ...asked });
}
