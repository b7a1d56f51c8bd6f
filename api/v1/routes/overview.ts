// What the first screen of a console needs in one call, and what changes while it is looked at.
import { Readable } from 'node:stream';
import { z } from 'zod';
import { sightOf } from '../../../operations/access/masking.ts';
import { conditionOf } from '../../../operations/access/principal.ts';
import { CHANGED, type Notice, watched } from '../../../operations/changes/changes.ts';
import { overviewOf } from '../../../operations/queries/overview.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalOf } from '../approval-dto.ts';
import { caseRowDto, rowOf } from '../case-dto.ts';
import { instant, instantOf, moneyDto, moneyOf } from '../dto.ts';
import { operatorsOf } from '../operators.ts';
import { replayDto, replayOf } from '../replay-dto.ts';
import { unasked } from '../unmask.ts';
import { groupDto, groupOf } from './dead-letters.ts';

const GROUPS = 20;
const CASES = 5;

const overviewDto = z
  .object({
    at: instant,
    deadLetters: z
      .object({
        letters: z.int(),
        newLetters: z.int().describe('Put aside within the last hour.'),
        money: z.array(moneyDto).describe('What stands still for them, by currency.'),
        oldestAt: instant.nullable(),
        groups: z.array(groupDto).describe('The latest failures first, twenty at most.'),
        allGroups: z.int(),
        complete: z.boolean(),
      })
      .nullable(),
    cases: z
      .object({
        open: z.int(),
        overdue: z.int().describe('Of the twenty that are due first.'),
        money: z.array(moneyDto),
        next: z.array(caseRowDto).describe('Those due first, five at most, masked; none for who may not see cases.'),
        complete: z.boolean(),
      })
      .nullable(),
    replays: z.array(replayDto).nullable().describe('Those that have not ended, twenty at most.'),
    approvals: z.array(approvalDto).nullable().describe('Those that wait for a second person, fifty at most.'),
    webhooks: z
      .object({
        waiting: z.int().describe('Deliveries to be sent, or sent again.'),
        oldestSince: instant.nullable().describe('Since when the oldest of them waits.'),
        endpointsDisabled: z.int().describe('Nothing is sent to them until somebody enables them.'),
        breakersOpen: z.int().describe('Endpoints that are left alone for a while, since they kept failing.'),
      })
      .nullable()
      .describe('Of all producers.'),
    missing: z
      .array(z.object({ source: z.string(), code: z.string() }))
      .describe('What could not be read: its part is null.'),
  })
  .meta({ id: 'Overview' });

const overview = route({
  name: 'getOverview',
  method: 'GET',
  url: '/v1/overview',
  action: 'overview.read',
  tag: 'Operations',
  summary: 'What is broken, what waits, what is being sent again',
  answers: { 200: overviewDto },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, principal }) {
    const { inbox, replays: stores, ring } = operatorsOf(parts);
    const { sources } = inbox;
    const [now, sight] = [parts.clock(), unasked(sightOf(principal.roles))];
    const all = { deadLetters: parts.deadLetters, inbox: sources, webhooks: parts.webhooks, ...stores };
    const { deadLetters, cases, replays, approvals, webhooks, missing } = await overviewOf(all, now, sight);
    const seesCases = conditionOf(principal, 'cases.read') === 'always';
    const groups = deadLetters?.found.groups ?? [];
    const sum = (of: (group: (typeof groups)[number]) => number) => groups.reduce((total, each) => total + of(each), 0);
    const oldest = groups.length === 0 ? null : Math.min(...groups.map(({ oldestAt }) => oldestAt.getTime()));
    return answer(200, {
      at: instantOf(now),
      deadLetters: deadLetters
        ? {
            ...{ letters: sum(({ letters }) => letters), newLetters: sum(({ recent }) => recent) },
            money: deadLetters.money.map(({ minor, currency }) => moneyOf(minor, currency)),
            oldestAt: oldest === null ? null : instantOf(oldest),
            groups: groups.slice(0, GROUPS).map(groupOf),
            ...{ allGroups: groups.length, complete: deadLetters.found.complete },
          }
        : null,
      cases: cases
        ? {
            ...{ open: cases.total.cases, overdue: cases.overdue, complete: cases.complete },
            money: cases.total.money.map(({ minor, currency }) => moneyOf(minor, currency)),
            next: seesCases ? cases.rows.slice(0, CASES).map(rowOf) : [],
          }
        : null,
      replays: replays?.map(replayOf) ?? null,
      approvals: approvals?.map((approval) => approvalOf(approval, ring)) ?? null,
      webhooks: webhooks ? { ...webhooks, oldestSince: webhooks.oldestSince && instantOf(webhooks.oldestSince) } : null,
      missing: missing.map(({ source, code }) => ({ source, code })),
    });
  },
});

const eventDto = z
  .object({
    id: z.string().describe('For Last-Event-ID.'),
    event: z.enum(['reset', ...CHANGED]),
    data: z.string().describe('JSON: the id of what changed, and nothing with reset.'),
  })
  .meta({ id: 'ChangeEvent' });

/** An event of the stream (text/event-stream); a comment where nothing happened. */
function eventOf(notice: Notice): string {
  if (notice === undefined) return ': still here\n\n';
  const { at, change } = notice;
  if (change === undefined) return `id: ${at}\nevent: reset\ndata: {}\n\n`;
  const { kind, id } = change;
  return `id: ${at}\nevent: ${kind}\ndata: ${JSON.stringify({ id })}\n\n`;
}

const changes = route({
  name: 'watchChanges',
  method: 'GET',
  url: '/v1/changes',
  action: 'overview.read',
  tag: 'Operations',
  summary: 'What changes, as server-sent events',
  description: `Events are ${CHANGED.join(', ')}, each with the id of what changed, and reset: look at everything again. Connect anew with Last-Event-ID when it ends, which it does after some minutes, so that a credential is looked at again.`,
  headers: { 'last-event-id': { description: 'Id of the event that was heard last.' } },
  streams: 'text/event-stream',
  answers: { 200: eventDto },
  refusals: ['TOO_BUSY'],
  async handle({ parts, principal, header }) {
    const { feed, heartbeatMs, lifetimeMs } = operatorsOf(parts).changes;
    const end = feed.watch(principal.subject);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), lifetimeMs);
    const terms = { lastEventId: header('last-event-id'), heartbeatMs, signal: stop.signal };
    const events = Readable.from(
      (async function* () {
        yield 'retry: 2000\n\n';
        for await (const notice of watched(feed, terms)) yield eventOf(notice);
      })(),
    );
    // Whoever is gone is no longer waited for.
    events.once('close', () => {
      clearTimeout(timer);
      stop.abort();
      end();
    });
    return answer(200, events as never);
  },
});

export const overviewRoutes: readonly Route[] = [overview, changes];
