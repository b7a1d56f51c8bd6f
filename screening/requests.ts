// From events to questions for the screener.
import { askSome } from '../ports/ask-some.ts';
import type { Instruction, ScreeningEvidence, TransferAccepted } from '../schemas/types.generated.ts';
import { coveredLists } from './evidence.ts';
import type { Difference, Screener, ScreeningRequest } from './ports.ts';

type WithParties = Pick<TransferAccepted, 'parties'> & { readonly instruction: Instruction };

/** Undefined when the parties are sealed. */
export function requestOf({ parties, instruction }: WithParties): ScreeningRequest | undefined {
  return 'corridor.Parties' in parties ? { parties: parties['corridor.Parties'], instruction } : undefined;
}

/**
 * For each event, in order, what the lists in force hold that its evidence does not cover. Undefined where there is
 * nothing new, no event, no evidence, or the parties are sealed.
 */
export async function differencesSince(
  screener: Pick<Screener, 'recheck'>,
  events: readonly ((WithParties & { readonly screening: ScreeningEvidence | null }) | undefined)[],
): Promise<readonly (Difference | undefined)[]> {
  const asked = events.map((event) => {
    const request = event && requestOf(event);
    return request && event.screening ? { request, covered: coveredLists(event.screening) } : undefined;
  });
  return askSome(asked, (wanted) => screener.recheck(wanted));
}
