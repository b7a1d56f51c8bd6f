// `corridor webhooks …`, over the API: endpoints of a producer, what is sent to them, and once more. As who the token says.
import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { deliveryDto, endpointDto, withSecretDto } from '../../api/v1/webhook-dto.ts';
import { DELIVERY_STATES } from '../../sinks/webhooks/delivery.ts';
import { EVENT_TYPES } from '../../sinks/webhooks/event-types.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';
import { confirmed } from './confirm.ts';

type Endpoint = z.output<typeof endpointDto>;
type Delivery = z.output<typeof deliveryDto>;
const endpointsDto = z.object({ items: z.array(endpointDto), nextCursor: z.string().nullable() });
const deliveriesDto = z.object({ items: z.array(deliveryDto), nextCursor: z.string().nullable() });

const pathOf = (id: string) => `/webhook-endpoints/${encodeURIComponent(id)}`;
const list = (text: string): readonly string[] => text.split(',').map((each) => each.trim());
const ROWS = 50;

export function registerRemoteWebhooks(program: Command, api: () => ApiClient): void {
  const all = program
    .command('webhooks')
    .description('endpoints that are told what becomes of transfers, and what is sent to them; over the API');
  registerLooks(all, api);
  registerMaking(all, api);
  registerSwitches(all, api);
  registerDeliveries(all, api);
}

function registerLooks(all: Command, api: () => ApiClient): void {
  withJson(all.command('list'))
    .description('endpoints, the latest first: your own, or everybody’s for whoever operates')
    .option('--producer <id>', 'of this producer')
    .option('--limit <n>', 'how many rows at most', count, ROWS)
    .action(async ({ producer, limit, json }: { producer?: string; limit: number; json?: boolean }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(producer && { producer }) });
      const { items, nextCursor } = endpointsDto.parse((await api().ask('GET', `/webhook-endpoints?${query}`)).body);
      if (json) return printRows(items, [], true);
      printRows(items.map(row), ['endpoint', 'producer', 'url', 'state', 'failures', 'events']);
      if (nextCursor !== null) print('There are more: say --limit, or --producer.');
    });
  withJson(all.command('show'))
    .argument('<endpoint>', 'id of the endpoint')
    .description('an endpoint, its secrets by their ids, and how it does')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const found = endpointDto.parse((await api().ask('GET', pathOf(id))).body);
      if (json) print(toJson(found));
      else show(found);
    });
}

function registerMaking(all: Command, api: () => ApiClient): void {
  all
    .command('register')
    .argument('<url>', 'https:// alone, at a public host')
    .description('have events sent to a URL; shows the secret, once')
    .option('--events <types>', 'comma-separated, such as transfer.completed', list, EVENT_TYPES)
    .action(async (url: string, { events }: { events: readonly string[] }) => {
      // One key for all tries of this request.
      const request = { body: { url, events }, key: randomUUID() };
      showWithSecret((await api().ask('POST', '/webhook-endpoints', request)).body);
    });
  all
    .command('update')
    .argument('<endpoint>', 'id of the endpoint')
    .description('change its URL or the types of events')
    .option('--url <url>', 'send there from now on')
    .option('--events <types>', 'comma-separated: these and no others', list)
    .action(async (id: string, change: { url?: string; events?: readonly string[] }) => {
      const { etag } = await api().ask('GET', pathOf(id));
      show(endpointDto.parse((await api().ask('PATCH', pathOf(id), { body: change, etag })).body));
    });
  all
    .command('rotate-secret')
    .argument('<endpoint>', 'id of the endpoint')
    .description('a new secret, shown once; the old ones sign beside it for a while')
    .option('--keep-hours <n>', 'how long the old ones sign too; 0 after a leak', hours, 24)
    .action(async (id: string, { keepHours }: { keepHours: number }) => {
      const { etag } = await api().ask('GET', pathOf(id));
      const body = { keepOldHours: keepHours };
      showWithSecret((await api().ask('POST', `${pathOf(id)}/rotate-secret`, { body, etag })).body);
    });
}

/** Whole hours; the API has the bounds. */
const hours = (text: string): number => Number(text);

function registerSwitches(all: Command, api: () => ApiClient): void {
  all
    .command('disable')
    .argument('<endpoint>', 'id of the endpoint')
    .description('send nothing more to it; what comes meanwhile can be resent')
    .requiredOption('--reason <text>', 'why; shown to its producer')
    .action(async (id: string, { reason }: { reason: string }) => {
      const { etag } = await api().ask('GET', pathOf(id));
      show(endpointDto.parse((await api().ask('POST', `${pathOf(id)}/disable`, { body: { reason }, etag })).body));
    });
  all
    .command('enable')
    .argument('<endpoint>', 'id of the endpoint')
    .description('send to it again; what it missed is sent by `resend`')
    .action(async (id: string) => {
      const { etag } = await api().ask('GET', pathOf(id));
      show(endpointDto.parse((await api().ask('POST', `${pathOf(id)}/enable`, { etag })).body));
    });
  all
    .command('delete')
    .argument('<endpoint>', 'id of the endpoint')
    .description('delete it, its secrets and what was to be sent to it: it is shown, and the word is typed')
    .option('--yes', 'for programs: nothing is typed')
    .action(async (id: string, { yes }: { yes?: boolean }) => {
      const { body, etag } = await api().ask('GET', pathOf(id));
      show(endpointDto.parse(body));
      if (yes !== true) await confirmed({ word: 'delete' });
      await api().ask('DELETE', pathOf(id), { etag });
      print('\nIt is gone.');
    });
}

function registerDeliveries(all: Command, api: () => ApiClient): void {
  withJson(all.command('deliveries'))
    .argument('<endpoint>', 'id of the endpoint')
    .description('what is sent to it, the latest event first')
    .addOption(new Option('--state <state>', 'in this state').choices([...DELIVERY_STATES]))
    .option('--limit <n>', 'how many rows at most', count, ROWS)
    .action(async (id: string, { state, limit, json }: { state?: string; limit: number; json?: boolean }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(state && { state }) });
      const found = await api().ask('GET', `${pathOf(id)}/deliveries?${query}`);
      const { items, nextCursor } = deliveriesDto.parse(found.body);
      if (json) return printRows(items, [], true);
      printRows(items.map(deliveryRow), ['delivery', 'transfer', 'sequence', 'type', 'state', 'tries', 'last', 'next']);
      if (nextCursor !== null) print('There are more: say --limit.');
    });
  all
    .command('resend')
    .argument('<endpoint>', 'id of the endpoint')
    .description('send deliveries again now: by their ids, or all that failed in a range of time')
    .option('--delivery <ids>', 'comma-separated', list)
    .option('--from <time>', 'events from then on, such as 2026-11-30T06:00:00Z')
    .option('--to <time>', 'and before that; now, when it is left out')
    .option('--states <states>', 'comma-separated; of a range, FAILED unless others are named', list)
    .action(async (id: string, { delivery, from, to, states }: ResendOptions) => {
      const range = { from, to: to ?? new Date().toISOString(), ...(states && { states }) };
      const body = delivery ? { ids: delivery } : range;
      const answer = await api().ask('POST', `${pathOf(id)}/resend`, { body });
      const { resent } = z.object({ resent: z.int() }).parse(answer.body);
      print(`${resent} ${resent === 1 ? 'delivery is' : 'deliveries are'} sent again.`);
    });
}

interface ResendOptions {
  readonly delivery?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly states?: readonly string[];
}

const stateOf = ({ isEnabled, leftAloneUntil, failures }: Endpoint): string => {
  if (!isEnabled) return 'disabled';
  if (leftAloneUntil !== null) return 'left alone';
  return failures > 0 ? 'fails' : 'enabled';
};

const row = (endpoint: Endpoint) => ({
  ...{ endpoint: endpoint.endpointId, producer: endpoint.producer, url: endpoint.url, state: stateOf(endpoint) },
  ...{ failures: endpoint.failures, events: endpoint.events.join(' ') },
});

const deliveryRow = ({ deliveryId, transferId, sequence, type, state, tries, lastCode, nextTryAt }: Delivery) => ({
  ...{ delivery: deliveryId, transfer: transferId, sequence, type, state, tries, last: lastCode, next: nextTryAt },
});

function show(endpoint: Endpoint): void {
  const { endpointId, producer, url, events, disabled, secrets, failures, failingSince, leftAloneUntil } = endpoint;
  print(`endpoint  ${endpointId} of ${producer}, ${stateOf(endpoint)}`);
  print(`url       ${url}`);
  print(`events    ${events.join(', ')}`);
  if (disabled) print(`disabled  ${disabled.at} by ${disabled.by ?? 'its own answer'}: ${disabled.reason}`);
  if (failures > 0) print(`failures  ${failures} in a row since ${failingSince}`);
  if (leftAloneUntil) print(`next try  ${leftAloneUntil}`);
  for (const { secretId, createdAt, expiresAt } of secrets)
    print(`secret    ${secretId} of ${createdAt}${expiresAt ? `, signs until ${expiresAt}` : ''}`);
}

function showWithSecret(body: unknown): void {
  const { endpoint, secret } = withSecretDto.parse(body);
  show(endpoint);
  print(secret === null ? '\nIts secret was shown before.' : `\nThe secret, shown this once:\n${secret}`);
}
