// The audit log over HTTP: who did what, and the proof that nothing of it was changed, for whoever has the public keys.
import { z } from 'zod';
import { findEntry, listEntries } from '../../../operations/audit/entries.ts';
import { OUTCOMES } from '../../../operations/audit/entry.ts';
import type { AuditFilter, IndexedEntry } from '../../../operations/audit/ports.ts';
import { consistencyWith, inclusionOf, signedCheckpoint } from '../../../operations/audit/proofs.ts';
import type { SignedCheckpoint } from '../../../operations/audit/state.ts';
import type { AuditEntry } from '../../../schemas/types.generated.ts';
import { cursorOf, cursorParameter, limitParameter, positionIn } from '../../http/cursor.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf } from '../dto.ts';
import { operatorsOf } from '../operators.ts';

const MAX_PAGE_ENTRIES = 500;
const PAGE_ENTRIES = 50;
const READ_REFUSALS = ['MONGO_UNAVAILABLE', 'KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'NEWER_SCHEMA'] as const;

const entryDto = z
  .object({
    entryId: z.string(),
    at: instant.describe('By the clock of the program that wrote it.'),
    program: z.string(),
    subject: z.string().nullable().describe('Who; null: nobody was known.'),
    roles: z.array(z.string()),
    credential: z.string(),
    action: z.string(),
    objectKind: z.string(),
    objectId: z.string().nullable().describe('An id, or `sha256:` of one that nobody has shown to be there.'),
    outcome: z.string(),
    reasonCode: z.string().nullable(),
    reference: z.string().nullable().describe('Number of a ticket.'),
    decidedOn: z.string().nullable().describe('SHA-256 of what was decided on.'),
    requestId: z.string().nullable(),
    partOf: z.string().nullable().describe('The entry before the act, for its end and its items.'),
    count: z.int().describe('How many alike it stands for.'),
  })
  .meta({ id: 'AuditEntry' });

export const placedDto = z
  .object({ index: z.int().describe('Its place in the log, from 0.'), leafHash: z.string(), entry: entryDto })
  .meta({ id: 'PlacedAuditEntry', description: 'As the index has it: `proof` shows what stands in the log.' });

export const checkpointDto = z
  .object({
    note: z.string().describe('The signed note (C2SP), byte for byte.'),
    origin: z.string(),
    size: z.int().describe('Entries of the tree.'),
    root: z.string().describe('Base64.'),
  })
  .meta({ id: 'AuditCheckpoint' });

const hashes = z.array(z.string()).describe('SHA-256 hashes in base64, from the leaf up.');

export const auditPageDto = z
  .object({
    items: z.array(placedDto),
    nextCursor: z.string().nullable(),
    complete: z.boolean().describe('Whether the index has all that is signed.'),
    reason: z.string().nullable().describe('Why it is not complete.'),
  })
  .meta({ id: 'AuditPage' });

const inclusionDto = z
  .object({
    index: z.int(),
    leaf: z.string().describe('The record as it stands in the log, in base64: what is hashed (RFC 6962).'),
    entry: entryDto.describe('The same, read.'),
    path: hashes,
    checkpoint: checkpointDto,
  })
  .meta({ id: 'AuditInclusion' });

const consistencyDto = z
  .object({ from: z.int().describe('Entries of the earlier tree.'), path: hashes, checkpoint: checkpointDto })
  .meta({ id: 'AuditConsistency' });

const entryOf = (entry: AuditEntry): z.output<typeof entryDto> => ({
  ...{ entryId: entry.entryId, at: instantOf(entry.at), program: entry.program, subject: entry.subject },
  ...{ roles: [...entry.roles], credential: entry.credential, action: entry.action },
  ...{ objectKind: entry.objectKind, objectId: entry.objectId, outcome: entry.outcome },
  ...{ reasonCode: entry.reasonCode, reference: entry.reference, decidedOn: entry.decidedOn },
  ...{ requestId: entry.requestId, partOf: entry.partOf, count: entry.count },
});

const placedOf = ({ index, leafHash, ...entry }: IndexedEntry): z.output<typeof placedDto> => ({
  ...{ index, leafHash: leafHash.toString('hex') },
  entry: entryOf(entry),
});

const base64 = (hash: Buffer): string => hash.toString('base64');

const checkpointOf = ({ note, origin, size, root }: SignedCheckpoint): z.output<typeof checkpointDto> => ({
  ...{ note, origin, size },
  root: base64(root),
});

const text = (most: number) => z.string().min(1).max(most).optional();

const query = z.strictObject({
  subject: text(64).describe('Who.'),
  action: text(160),
  objectKind: text(32).describe('In the plural: transfers, cases.'),
  objectId: text(200),
  outcome: z.enum(OUTCOMES).optional(),
  requestId: text(36),
  act: text(36).describe('One act with its items and its end, by the id of its first entry.'),
  since: instant.optional(),
  until: instant.optional(),
  limit: limitParameter(MAX_PAGE_ENTRIES, PAGE_ENTRIES),
  cursor: cursorParameter,
});

/** Who it is, as it stands in entries: one and the same text however the name is typed. */
const subjectOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

function filterOf(asked: z.output<typeof query>): AuditFilter {
  const { limit: _limit, cursor: _cursor, subject, since, until, ...rest } = asked;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...given,
    ...(subject === undefined ? {} : { subject: subjectOf(subject) }),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
  };
}

const position = z.tuple([z.int().min(0)]);

const list = route({
  name: 'listAuditEntries',
  method: 'GET',
  url: '/v1/audit/entries',
  action: 'audit.read',
  tag: 'Audit',
  summary: 'Entries of the audit log, the latest first',
  description: 'Read from an index in the database. What counts is the log: each entry has a proof.',
  query,
  answers: { 200: auditPageDto },
  refusals: [...READ_REFUSALS, 'CURSOR_INVALID'],
  async handle({ parts, query: asked }) {
    const before = asked.cursor === undefined ? undefined : positionIn(position, asked.cursor)[0];
    const page = await listEntries(operatorsOf(parts).audit, filterOf(asked), asked.limit, before);
    return answer(200, {
      items: page.entries.map(placedOf),
      nextCursor: page.before === undefined ? null : cursorOf([page.before]),
      ...{ complete: page.complete, reason: page.reason ?? null },
    });
  },
});

const path = z.strictObject({ entry: z.string().min(1).max(60).describe('Its place in the log, or its id.') });

const get = route({
  name: 'getAuditEntry',
  method: 'GET',
  url: '/v1/audit/entries/:entry',
  action: 'audit.read',
  tag: 'Audit',
  summary: 'One entry, as the index has it',
  path,
  answers: { 200: placedDto },
  refusals: ['AUDIT_ENTRY_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle({ parts, path: { entry } }) {
    return answer(200, placedOf(await findEntry(operatorsOf(parts).audit, entry)));
  },
});

const PROOF_REFUSALS = [...READ_REFUSALS, 'CHECKPOINT_UNKNOWN', 'TOO_BUSY', 'AUDIT_LOG_UNREADABLE'] as const;

const proof = route({
  name: 'proveAuditEntry',
  method: 'GET',
  url: '/v1/audit/entries/:entry/proof',
  action: 'audit.read',
  tag: 'Audit',
  summary: 'That an entry is in the tree of the newest checkpoint',
  description: 'Reads the log once. For many entries, or a long log: `corridor audit export`.',
  path,
  answers: { 200: inclusionDto },
  refusals: [...PROOF_REFUSALS, 'AUDIT_ENTRY_UNKNOWN'],
  async handle({ parts, path: { entry } }) {
    const { audit, proving } = operatorsOf(parts);
    const found = await proving(() => inclusionOf(audit, entry));
    return answer(200, {
      ...{ index: found.index, leaf: base64(found.leaf), entry: entryOf(found.entry) },
      ...{ path: found.path.map(base64), checkpoint: checkpointOf(found.checkpoint) },
    });
  },
});

const checkpoint = route({
  name: 'getAuditCheckpoint',
  method: 'GET',
  url: '/v1/audit/checkpoint',
  action: 'audit.read',
  tag: 'Audit',
  summary: 'The newest signed checkpoint: keep one a day where nobody of the installation can write',
  answers: { 200: checkpointDto },
  refusals: ['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'NEWER_SCHEMA', 'CHECKPOINT_UNKNOWN'],
  async handle({ parts }) {
    return answer(200, checkpointOf(await signedCheckpoint(operatorsOf(parts).audit)));
  },
});

const consistency = route({
  name: 'proveAuditConsistency',
  method: 'GET',
  url: '/v1/audit/consistency',
  action: 'audit.read',
  tag: 'Audit',
  summary: 'That the tree of the newest checkpoint begins with an earlier one',
  query: z.strictObject({
    from: z
      .string()
      .regex(/^\d{1,15}$/, 'a whole number')
      .transform(Number)
      .meta({ type: 'integer', minimum: 0, description: 'Entries of the checkpoint that you have kept.' }),
  }),
  answers: { 200: consistencyDto },
  refusals: [...PROOF_REFUSALS, 'OPTION_INVALID'],
  async handle({ parts, query: { from } }) {
    const { audit, proving } = operatorsOf(parts);
    const found = await proving(() => consistencyWith(audit, from));
    return answer(200, {
      ...{ from: found.from, path: found.path.map(base64) },
      checkpoint: checkpointOf(found.checkpoint),
    });
  },
});

export const auditRoutes: readonly Route[] = [list, get, proof, checkpoint, consistency];
