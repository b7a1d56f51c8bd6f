// Transfers: where each stands, what happened to it, why.
import { z } from 'zod';
import {
  MAX_TRANSFER_ID_CHARACTERS,
  TRANSFER_ID_PATTERN,
  TRANSFER_ID_RULE,
} from '../../../domain/transfers/transfer-id.ts';
import { mayTouch } from '../../../operations/access/principal.ts';
import { disclosureOf } from '../../../operations/disclosure/disclosure.ts';
import { requirementsOf } from '../../../operations/disclosure/rules.ts';
import type { TransferTotals, TransferViews } from '../../../operations/queries/ports.ts';
import { eventsFor, transferStanding, transferUnknown } from '../../../operations/queries/standing.ts';
import { stepsOf, transferHistory } from '../../../operations/queries/transfer.ts';
import { MAX_TRANSFERS_SUMMED, sumsOf } from '../../../operations/queries/transfers.ts';
import { ownerOf } from '../../../operations/submissions/owner.ts';
import type { Submission } from '../../../operations/submissions/ports.ts';
import type { ApiComponents } from '../../../services/api/components.ts';
import { cursorOf, cursorParameter, limitParameter, pageOf, positionIn } from '../../http/cursor.ts';
import { etagOf, namesEtag } from '../../http/precondition.ts';
import { invalidRequest } from '../../http/problem.ts';
import { type Asked, answer, type Route, route } from '../../http/route.ts';
import { disclosureDto, disclosureDtoOf } from '../disclosure-dto.ts';
import { instant, instantOf, tallyDto, tallyOf } from '../dto.ts';
import { STATES, timelineDto, timelineOf, transferDto, transferOf } from '../transfer-dto.ts';
import { shownTo, unmaskQuery } from '../unmask.ts';

const ofTransfer = z.strictObject({
  transferId: z.string().regex(TRANSFER_ID_PATTERN, TRANSFER_ID_RULE),
});

const MAX_PAGE_ITEMS = 200;
const PAGE_ITEMS = 50;

const listQuery = z.strictObject({
  state: z.enum(STATES).optional(),
  corridor: z.string().max(40).optional().describe('Id of a corridor.'),
  producer: z.string().min(1).max(64).optional().describe('Who instructed them. A producer sees its own alone.'),
  olderThan: instant.optional().describe('Nothing has happened to them since.'),
  totals: z.literal('true').optional().describe('Also what all that match come to, on whichever page.'),
  limit: limitParameter(MAX_PAGE_ITEMS, PAGE_ITEMS),
  cursor: cursorParameter,
});

export const transferPageDto = pageOf(transferDto)
  .extend({
    total: tallyDto
      .extend({ complete: z.boolean().describe('False: there are more than are summed; those that changed last are.') })
      .nullable()
      .describe('Debits of those that are priced, what was instructed of the others; null: nobody asked.'),
  })
  .meta({ id: 'TransferPage' });

type Total = NonNullable<z.output<typeof transferPageDto>['total']>;
const NO_TRANSFERS_SUMMED: Total = { count: 0, money: [], withoutAmount: 0, complete: true };

function totalOf({ byCurrency, isCut }: Awaited<ReturnType<TransferTotals['totals']>>): Total {
  const { transfers: count, money, withoutAmount } = sumsOf(byCurrency);
  return { ...tallyOf({ count, money, withoutAmount }), complete: !isCut };
}

const position = z.tuple([z.int(), z.string().max(MAX_TRANSFER_ID_CHARACTERS)]);

const corridorIds =
  ({ corridors }: ApiComponents) =>
  (source: string, target: string) =>
    corridors.between(source, target)?.id;

/** The view, to whom no transfer is shown. */
const NO_TRANSFERS: Pick<TransferViews, 'find'> = { find: async () => undefined };

type OfTransfer = Asked<z.output<typeof ofTransfer>, unknown, unknown>;

interface Seen {
  readonly submission: Submission | undefined;
  /** A producer to whom nothing of others is told; absent: all is. */
  readonly onlyOf?: string;
  readonly isOwner: boolean;
}

/** What may be said of the transfer. Refuses what belongs to another, in the words for what is not there. */
async function seenBy({ condition, principal, path, parts }: OfTransfer): Promise<Seen> {
  const owner = await ownerOf(parts.owners, path.transferId);
  const isOwner = owner?.producer === principal.subject;
  if (condition === 'always') return { submission: owner?.submission, isOwner };
  // An id that is nobody's may have been refused to this producer.
  if (owner !== undefined && !mayTouch(condition, principal, owner.producer)) throw transferUnknown(path.transferId);
  return { submission: owner?.submission, isOwner, onlyOf: principal.subject };
}

const listTransfers = route({
  name: 'listTransfers',
  method: 'GET',
  url: '/v1/transfers',
  action: 'transfers.list',
  tag: 'Transfers',
  summary: 'Transfers, the one that changed last first',
  query: listQuery,
  answers: { 200: transferPageDto },
  refusals: ['CURSOR_INVALID', 'MONGO_UNAVAILABLE'],
  async handle({
    parts,
    principal,
    condition,
    query: { state, corridor: id, producer: asked, olderThan, totals, limit, cursor },
  }) {
    const corridor = parts.corridors.corridors.find((each) => each.id === id);
    if (id !== undefined && corridor === undefined)
      throw invalidRequest([{ in: 'query', pointer: '/corridor', detail: 'is not one of GET /v1/corridors' }]);
    const producer = condition === 'own' ? principal.subject : asked;
    if (asked !== undefined && asked !== producer)
      return answer(200, { items: [], nextCursor: null, total: totals ? NO_TRANSFERS_SUMMED : null });
    const after = cursor === undefined ? undefined : positionIn(position, cursor);
    const filter = {
      ...(state === undefined ? {} : { state }),
      ...(producer === undefined ? {} : { producer }),
      ...(olderThan === undefined ? {} : { olderThan: new Date(olderThan) }),
      ...(corridor ? { currencies: { source: corridor.source.currency, target: corridor.target.currency } } : {}),
    };
    // One more than asked for says whether there is a next page.
    const [found, summed] = await Promise.all([
      parts.transferViews.list(filter, after && { updatedAt: new Date(after[0]), transferId: after[1] }, limit + 1),
      totals && parts.transferViews.totals(filter, MAX_TRANSFERS_SUMMED),
    ]);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const items = page.map((transfer) => transferOf({ kind: 'transfer', transfer }, corridorIds(parts)));
    const hasMore = found.length > limit && last !== undefined;
    const nextCursor = hasMore ? cursorOf([last.updatedAt.getTime(), last._id]) : null;
    return answer(200, { items, nextCursor, total: summed ? totalOf(summed) : null });
  },
});

const getTransfer = route({
  name: 'getTransfer',
  method: 'GET',
  url: '/v1/transfers/:transferId',
  action: 'transfers.read',
  tag: 'Transfers',
  summary: 'A transfer as it stands',
  path: ofTransfer,
  headers: { 'if-none-match': { description: 'ETag of what is known already.' } },
  answers: { 200: transferDto, 304: z.undefined().describe('It is as it was.') },
  refusals: ['TRANSFER_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle(asked) {
    const { parts, path } = asked;
    const { submission, onlyOf, isOwner } = await seenBy(asked);
    const views = onlyOf === undefined || isOwner ? parts.transferViews : NO_TRANSFERS;
    const events = parts.transferEvents;
    const standing = await transferStanding({ views, events }, path.transferId, submission, onlyOf);
    const transfer = transferOf(standing, corridorIds(parts));
    const version = standing.kind === 'transfer' ? String(standing.transfer.version) : transfer.state;
    const headers = { etag: etagOf(version) };
    if (namesEtag(asked.header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    return answer(200, transfer, headers);
  },
});

const getTimeline = route({
  name: 'getTransferTimeline',
  method: 'GET',
  url: '/v1/transfers/:transferId/timeline',
  action: 'transfers.read',
  tag: 'Transfers',
  summary: 'What happened to a transfer, stage by stage',
  path: ofTransfer,
  answers: { 200: timelineDto },
  refusals: ['TRANSFER_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle(asked) {
    const { onlyOf, isOwner } = await seenBy(asked);
    const { transferId } = asked.path;
    const { events } = await transferHistory(asked.parts.transferEvents, transferId);
    const visible = onlyOf === undefined ? events : eventsFor(events, onlyOf, isOwner);
    if (visible.length === 0) throw transferUnknown(transferId);
    return answer(200, timelineOf(transferId, stepsOf(visible)));
  },
});

const getDisclosure = route({
  name: 'getTransferDisclosure',
  method: 'GET',
  url: '/v1/transfers/:transferId/disclosure',
  action: 'transfers.read',
  tag: 'Transfers',
  summary: 'What a transfer costs and what arrives, as the sender is to be told',
  description:
    'The price in force, to the minor unit, and what rules ask to be told of it (docs/terms.md). A price that expires is made again: what binds is what was paid.',
  path: ofTransfer,
  answers: { 200: disclosureDto },
  refusals: ['TRANSFER_UNKNOWN', 'TRANSFER_UNPRICED', 'MONGO_UNAVAILABLE'],
  async handle(asked) {
    const { onlyOf, isOwner } = await seenBy(asked);
    const {
      parts,
      path: { transferId },
    } = asked;
    const { events } = await transferHistory(parts.transferEvents, transferId);
    const visible = onlyOf === undefined ? events : eventsFor(events, onlyOf, isOwner);
    if (visible.length === 0) throw transferUnknown(transferId);
    const record = disclosureOf(transferId, visible);
    return answer(200, disclosureDtoOf(record, requirementsOf(record, parts.disclosureRules)));
  },
});

const proofDto = z
  .enum(['CHECKED', 'NOT_CHECKED'])
  .describe(
    'CHECKED: it bears the true seal of its stage. NOT_CHECKED: this program has no key of stages, so whoever may write to the topic may have made it up.',
  );

const explanationDto = z
  .object({
    transferId: z.string(),
    personalData: z
      .enum(['hidden', 'masked', 'full'])
      .describe('How much of names the roles of whoever asks get to see.'),
    outcome: z.string(),
    screenedAt: instant,
    engineVersion: z.string(),
    configurationHash: z.string(),
    lists: z.array(z.object({ source: z.string(), versionId: z.string(), publishedOn: z.string() })),
    proof: proofDto,
    strangers: z
      .int()
      .describe(
        'Records under this id that are left out: without a true seal of a stage where that is checked, else unreadable.',
      ),
    isContradictory: z
      .boolean()
      .describe('Two of the steps say different things at one sequence: one at least is not the word of a stage.'),
    steps: z.array(
      z.object({
        ...{ topic: z.string(), sequence: z.int(), occurredAt: instant, reasons: z.array(z.string()) },
        proof: proofDto,
      }),
    ),
    lines: z.array(z.string()).describe('In plain words.'),
    isReproduced: z
      .boolean()
      .nullable()
      .describe('The decision, made again from its evidence, is the same. Null: the parties are sealed.'),
  })
  .meta({ id: 'Explanation' });

const getExplanation = route({
  name: 'explainTransfer',
  method: 'GET',
  url: '/v1/transfers/:transferId/explanation',
  action: 'transfers.explain',
  tag: 'Transfers',
  summary: 'Why screening cleared, held or declined a transfer',
  description: 'Read from the log, and made again from its evidence. Names are masked by role.',
  path: ofTransfer,
  query: unmaskQuery,
  answers: { 200: explanationDto },
  refusals: ['EVIDENCE_UNKNOWN', 'TOO_BUSY', 'KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'AUDIT_UNAVAILABLE'],
  async handle(asked) {
    const {
      parts,
      path: { transferId },
    } = asked;
    const explained = await shownTo(asked, { kind: 'transfers', id: transferId }, (sight) =>
      parts.explain(transferId, sight),
    );
    const { sight, found, last, lines, isReproduced, proof, strangers, isContradictory } = explained;
    const { outcome, screenedAt, engineVersion, configurationHash, lists } = last.evidence;
    return answer(200, {
      ...{ transferId, personalData: sight, outcome, screenedAt: instantOf(screenedAt) },
      ...{ engineVersion, configurationHash, proof, strangers, isContradictory },
      lists: lists.map(({ source, versionId, publishedOn }) => ({ source, versionId, publishedOn })),
      steps: found.map(({ topic, sequence, occurredAt, reasons, proof: step }) => ({
        ...{ topic, sequence, occurredAt: instantOf(occurredAt), proof: step },
        reasons: [...reasons],
      })),
      lines: [...lines],
      isReproduced: isReproduced ?? null,
    });
  },
});

export const transferRoutes: readonly Route[] = [
  listTransfers,
  getTransfer,
  getTimeline,
  getDisclosure,
  getExplanation,
];
