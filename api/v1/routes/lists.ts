// List versions over HTTP: which there are, what is in force, what changed, and putting one in force.
import { z } from 'zod';
import type { Principal } from '../../../operations/access/principal.ts';
import { activateVersion } from '../../../operations/lists/import-and-activate.ts';
import { askToActivate } from '../../../operations/lists/second-person.ts';
import {
  compareVersions,
  type EntityChange,
  inForceOf,
  LIST_STATUSES,
  listVersions,
  showVersion,
  statusOf,
} from '../../../operations/lists/versions.ts';
import { isCoded } from '../../../ports/fault.ts';
import { limitParameter } from '../../http/cursor.ts';
import { idFromKey, keyField } from '../../http/idempotency.ts';
import { checkIfMatch, etagOf, namesEtag } from '../../http/precondition.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { instant, instantOf } from '../dto.ts';
import { CHANGE_REFUSALS, ifMatch, ifNoneMatch, operatorsOf, reasonText } from '../operators.ts';

const MAX_VERSIONS = 200;
const VERSIONS = 50;
const MAX_CHANGES = 1_000;
const CHANGES = 100;
const STORE_REFUSALS = ['MONGO_UNAVAILABLE', 'LIST_VERSION_UNKNOWN', 'LIST_VERSION_NOT_SEALED'] as const;

export const versionDto = z
  .object({
    versionId: z.string(),
    source: z.string(),
    status: z.enum(LIST_STATUSES),
    publishedOn: z.string().nullable(),
    entities: z.int(),
    names: z.int(),
    importedAt: instant,
    importedBy: z.string(),
    inForceSince: instant.nullable(),
  })
  .meta({ id: 'ListVersion' });

const dropsDto = z.array(z.object({ code: z.string(), count: z.int(), examples: z.array(z.string()) }));

export const wholeVersionDto = versionDto
  .extend({
    report: z.object({
      entitiesRead: z.int(),
      entitiesKept: z.int(),
      namesRead: z.int(),
      namesKept: z.int(),
      droppedEntities: dropsDto,
      droppedNames: dropsDto,
      warnings: dropsDto.describe('What was tolerated.'),
    }),
    inForceNow: z.string().nullable().describe('The version of this source that is in force.'),
  })
  .meta({ id: 'WholeListVersion' });

export const activatedDto = z
  .object({ versionId: z.string(), changed: z.boolean().describe('False: it was in force already.') })
  .meta({ id: 'ListActivated' });

export const changesDto = z
  .object({
    before: z.string(),
    after: z.string(),
    added: z.int(),
    removed: z.int(),
    changed: z.int(),
    items: z.array(
      z.object({
        what: z.enum(['added', 'removed', 'changed']),
        entityId: z.string(),
        type: z.string(),
        name: z.string(),
        fields: z.array(z.string()),
      }),
    ),
    complete: z.boolean().describe('False: there are more than were asked for.'),
  })
  .meta({ id: 'ListChanges' });

type Head = Awaited<ReturnType<typeof listVersions>>[number]['head'];

const versionOf = (
  head: Omit<Head, 'isSealed'>,
  status: (typeof LIST_STATUSES)[number],
  since: number | undefined,
): z.output<typeof versionDto> => ({
  ...{ versionId: head.versionId, source: head.source, status, publishedOn: head.publicationDate ?? null },
  ...{ entities: head.counts.entities, names: head.counts.names, importedBy: head.importedBy },
  ...{ importedAt: instantOf(head.importedAt), inForceSince: since === undefined ? null : instantOf(since) },
});

/** Whoever names it has seen the version, and which one is in force. */
const versionEtag = (versionId: string, inForce: string | null): string => etagOf(`${versionId}.${inForce ?? ''}`);

const list = route({
  name: 'listListVersions',
  method: 'GET',
  url: '/v1/lists',
  action: 'lists.read',
  tag: 'Screening',
  summary: 'List versions, the newest import first, and which are in force',
  query: z.strictObject({
    source: z.string().min(1).max(60).optional(),
    limit: limitParameter(MAX_VERSIONS, VERSIONS),
  }),
  answers: {
    200: z
      .object({
        items: z.array(versionDto),
        complete: z.boolean().describe('False: there are more, which were imported earlier. Ask for more.'),
      })
      .meta({ id: 'ListVersions' }),
  },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { source, limit } }) {
    const { store } = operatorsOf(parts).lists;
    const found = await listVersions(store, { limit: limit + 1, ...(source === undefined ? {} : { source }) });
    const items = found.slice(0, limit).map(({ head, status, inForceSince }) => versionOf(head, status, inForceSince));
    return answer(200, { items, complete: found.length <= limit });
  },
});

const path = z.strictObject({ versionId: z.string().min(1).max(120) });

const get = route({
  name: 'getListVersion',
  method: 'GET',
  url: '/v1/lists/:versionId',
  action: 'lists.read',
  tag: 'Screening',
  summary: 'A version with its import report',
  path,
  headers: ifNoneMatch,
  answers: { 200: wholeVersionDto, 304: z.undefined().describe('It is as it was.') },
  refusals: STORE_REFUSALS,
  async handle({ parts, path: { versionId }, header }) {
    const { store } = operatorsOf(parts).lists;
    const { head, activation } = await showVersion(store, versionId);
    const inForceNow = await inForceOf(store, head.source);
    const headers = { etag: versionEtag(versionId, inForceNow) };
    if (namesEtag(header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    const { entitiesRead, entitiesKept, namesRead, namesKept, droppedEntities, droppedNames, warnings } = head.report;
    const drops = (all: typeof warnings) =>
      all.map(({ code, count, examples }) => ({ code, count, examples: [...examples] }));
    return answer(
      200,
      {
        ...versionOf(head, statusOf({ isSealed: true }, activation), activation?.activatedAt),
        report: {
          ...{ entitiesRead, entitiesKept, namesRead, namesKept },
          ...{ droppedEntities: drops(droppedEntities), droppedNames: drops(droppedNames), warnings: drops(warnings) },
        },
        inForceNow,
      },
      headers,
    );
  },
});

const changes = route({
  name: 'compareListVersions',
  method: 'GET',
  url: '/v1/lists/:versionId/changes',
  action: 'lists.read',
  tag: 'Screening',
  summary: 'Entities added, removed and changed since another version',
  path,
  query: z.strictObject({
    since: z.string().min(1).max(120).describe('The earlier version.'),
    limit: limitParameter(MAX_CHANGES, CHANGES),
  }),
  answers: { 200: changesDto },
  refusals: [...STORE_REFUSALS, 'LIST_VERSION_DAMAGED', 'TOO_BUSY'],
  async handle({ parts, path: { versionId }, query: { since, limit } }) {
    const { store, comparing } = operatorsOf(parts).lists;
    const found = await comparing(() => compareVersions(store, since, versionId));
    const count = (kind: EntityChange['what']) => found.filter(({ what }) => what === kind).length;
    return answer(200, {
      ...{ before: since, after: versionId },
      ...{ added: count('added'), removed: count('removed'), changed: count('changed') },
      items: found.slice(0, limit).map(({ what, entity, fields }) => ({
        ...{ what, entityId: entity.id, type: entity.type, name: entity.names[0]?.full ?? '', fields: [...fields] },
      })),
      complete: found.length <= limit,
    });
  },
});

const activate = route({
  name: 'activateListVersion',
  method: 'POST',
  url: '/v1/lists/:versionId/activate',
  action: 'lists.activate',
  tag: 'Screening',
  summary: 'Put a version in force: for every instance, and for payouts not yet submitted',
  description:
    'One person may, who did not import it, or whose version takes nothing off and is not the first of its source. Otherwise another lets it through: 202. Repeating it is harmless, and completes what was cut off.',
  path,
  headers: { ...ifMatch, 'idempotency-key': keyField },
  body: z.strictObject({ reason: reasonText }).meta({ id: 'ListActivation' }),
  answers: { 200: activatedDto, 202: approvalDto.describe('One person alone may not: another lets it through.') },
  refusals: [
    ...CHANGE_REFUSALS,
    ...STORE_REFUSALS,
    ...(['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'WRITE_UNKNOWN', 'NEWER_SCHEMA'] as const),
    ...(['ACTIVATION_RACED', 'APPROVAL_MOVED', 'IDEMPOTENCY_KEY_INVALID'] as const),
  ],
  async handle({ parts, principal, path: { versionId }, body: { reason }, header }) {
    const { lists, replays, ring } = operatorsOf(parts);
    const id = idFromKey('lists', principal.subject, header('idempotency-key'));
    const head = await lists.store.head(versionId);
    checkIfMatch(header('if-match'), versionEtag(versionId, await inForceOf(lists.store, head.source)));
    const now = parts.clock();
    const { publish, lastOf, forTrials, close } = await lists.publisher();
    try {
      const terms = { by: principal.subject, now, lastOf, forTrials };
      const { changed } = await activateVersion(lists.store, publish, versionId, terms);
      return answer(200, { versionId, changed });
    } catch (error) {
      if (!isCoded(error) || error.code !== 'SECOND_PERSON_NEEDED') throw error;
      const by: Principal = { ...principal, name: principal.subject };
      const stores = { lists: lists.store, approvals: replays.approvals };
      const approval = await askToActivate(stores, { id, versionId, by, reason, at: new Date(now) }, ring);
      const headers = { location: `/v1/approvals/${approval._id}`, etag: approvalEtag(approval) };
      return { ...answer(202, approvalOf(approval, ring), headers), audited: { decidedOn: approval.hash } };
    } finally {
      await close();
    }
  },
});

export const listRoutes: readonly Route[] = [list, get, changes, activate];
