// What the board of stuck transfers is made of. Each question is bounded, and served by an index.
import type { OpenHolds } from '../cases/inbox/ports.ts';
import type { DeadLetters } from '../dead-letters/ports.ts';
import type { PayoutListSources } from '../queries/payouts.ts';
import type { UnhandledFound } from './unhandled.ts';

export interface StuckSources {
  /** What stages and the executor have still to handle. */
  readonly unhandled: () => Promise<UnhandledFound>;
  readonly holds: Pick<OpenHolds, 'briefs'>;
  readonly payouts: Pick<PayoutListSources, 'payouts' | 'requests'>;
  readonly deadLetters: Pick<DeadLetters, 'groups'>;
}
