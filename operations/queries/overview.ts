// What somebody on call has to see first: what broke and how much money stands still, what waits for a person, what is being
// sent again, what waits for a second person. What cannot be read is told, never left out in silence.
import type { Money } from '../../domain/money/money.ts';
import type { Sight } from '../access/masking.ts';
import type { Approval } from '../approvals/approval.ts';
import { listApprovals } from '../approvals/approvals.ts';
import type { Approvals } from '../approvals/ports.ts';
import { type InboxPage, listInbox } from '../cases/inbox/inbox.ts';
import type { InboxSources } from '../cases/inbox/ports.ts';
import { type LetterGroups, letterGroups } from '../dead-letters/groups.ts';
import type { DeadLetters } from '../dead-letters/ports.ts';
import type { Replays } from '../dead-letters/replays/ports.ts';
import { REPLAY_STATES, type ReplayDocument } from '../dead-letters/replays/replay.ts';
import type { WebhookStanding } from '../webhooks/ports.ts';
import { Gaps, type Missing } from './gaps.ts';

export interface OverviewSources {
  readonly deadLetters: Pick<DeadLetters, 'groups'>;
  readonly inbox: InboxSources;
  readonly replays: Pick<Replays, 'list'>;
  readonly approvals: Pick<Approvals, 'list' | 'expire' | 'clock'>;
  readonly webhooks: WebhookStanding;
}

type Source = 'DEAD_LETTERS' | 'CASES' | 'REPLAYS' | 'APPROVALS' | 'WEBHOOKS';

/** How the webhooks of all producers stand. */
export interface WebhooksNow {
  /** Deliveries that wait to be sent, or sent again. */
  readonly waiting: number;
  readonly oldestSince: Date | null;
  readonly endpointsDisabled: number;
  /** Endpoints that are left alone for a while, since they kept failing. */
  readonly breakersOpen: number;
}

export interface Overview {
  readonly deadLetters: { readonly found: LetterGroups; readonly money: readonly Money[] } | undefined;
  readonly cases: (InboxPage & { readonly overdue: number }) | undefined;
  readonly replays: readonly ReplayDocument[] | undefined;
  readonly approvals: readonly Approval[] | undefined;
  readonly webhooks: WebhooksNow | undefined;
  /** What could not be read: its part is undefined. */
  readonly missing: readonly Missing<Source>[];
}

/** Cases of the first page: those due first, so that any that is overdue is among them. */
const CASES = 20;
const MAX_REPLAYS = 20;
const MAX_APPROVALS = 50;
const OPEN = REPLAY_STATES.filter((state) => state !== 'ENDED' && state !== 'CANCELLED');

/** @param now ms since 1970. @throws what is no coded error: a bug is no gap */
export async function overviewOf(sources: OverviewSources, now: number, sight: Sight): Promise<Overview> {
  const gaps = new Gaps<Source>();
  const part = <T>(source: Source, ask: () => Promise<T>) => gaps.read<T | undefined>(source, undefined, ask);
  const [found, page, replays, approvals, webhooks] = await Promise.all([
    part('DEAD_LETTERS', () => letterGroups(sources.deadLetters, { now })),
    part('CASES', () => listInbox(sources.inbox, { filter: {}, limit: CASES, now, sight })),
    part('REPLAYS', () => sources.replays.list(OPEN, MAX_REPLAYS)),
    part('APPROVALS', () => listApprovals(sources.approvals, ['WAITING'], MAX_APPROVALS, new Date(now))),
    part('WEBHOOKS', () => webhooksNow(sources.webhooks, new Date(now))),
  ]);
  return {
    deadLetters: found && { found, money: moneyOf(found) },
    cases: page && { ...page, overdue: page.rows.filter(({ dueAt }) => dueAt <= now).length },
    ...{ replays, approvals, webhooks, missing: gaps.missing },
  };
}

async function webhooksNow({ endpoints, deliveries }: WebhookStanding, now: Date): Promise<WebhooksNow> {
  const [standing, endpointsDisabled, breakersOpen] = await Promise.all([
    deliveries.standing(),
    endpoints.countDisabled(),
    endpoints.countOpen(now),
  ]);
  return { ...standing, endpointsDisabled, breakersOpen };
}

/** Of all groups, by currency. Pure. */
export function moneyOf({ groups }: Pick<LetterGroups, 'groups'>): readonly Money[] {
  const sums = new Map<string, bigint>();
  for (const { money } of groups)
    for (const { currency, minor } of money) sums.set(currency, (sums.get(currency) ?? 0n) + minor);
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([currency, minor]) => ({ minor, currency }));
}
