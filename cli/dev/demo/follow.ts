// Waits until every input has come to its end, or nothing moves any more.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Books } from '../../../samples/books.ts';
import type { Interrupt } from './interrupt.ts';
import type { Watch } from './watch.ts';

export type Outcome =
  /** Every input has an end, and it is the expected one; or ends were reached and nothing moves any more. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'stalled'; readonly quietMs: number }
  | { readonly kind: 'interrupted' };

const LOOK_EVERY_MS = 200;
/** Money that is to come back does so after its payment: an unexpected end is final only after this long in silence. */
const GRACE_MS = 15_000;

interface FollowOptions {
  readonly feeding: Promise<number>;
  readonly books: Books;
  readonly watch: Watch;
  readonly quietMs: number;
  readonly stop: Interrupt;
}

export async function followToTheEnd({ feeding, books, watch, quietMs, stop }: FollowOptions): Promise<Outcome> {
  let fed = false;
  let failure: unknown;
  feeding.then(
    () => {
      fed = true;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  for (;;) {
    await Promise.race([sleep(LOOK_EVERY_MS), stop.requested]);
    if (failure !== undefined) throw failure;
    if (stop.asked) return { kind: 'interrupted' };
    if (!fed) continue;
    const { unexpected, unaccounted } = books.balance();
    const silence = performance.now() - watch.lastSeenAt;
    if (unexpected === 0 && unaccounted === 0) return { kind: 'settled' };
    if (unaccounted === 0 && silence > GRACE_MS) return { kind: 'settled' };
    if (silence > quietMs) return { kind: 'stalled', quietMs };
  }
}
