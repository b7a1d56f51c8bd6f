// Policies, which are law as data: their versions, and proposals of new ones, which two persons put in force.
import { z } from 'zod';
import { POLICY_KINDS, policyKey } from '../../../domain/policies/versions.ts';
import { askToActivatePolicy } from '../../../operations/policies/activate.ts';
import { listPolicies, type ShownVersion, showPolicy, VERSION_STATES } from '../../../operations/policies/versions.ts';
import { idFromKey, keyField } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { instant, instantOf } from '../dto.ts';
import { operatorsOf, reasonText } from '../operators.ts';

const LOG_REFUSALS = ['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'] as const;
const kind = z.enum(POLICY_KINDS);
const kindPath = z.string().min(1).max(48).describe('`limits` or `terms`.');

export const policyVersionDto = z
  .object({
    kind,
    version: z.int(),
    name: z.string().describe('Name and version by which events name it; empty: it cannot be used.'),
    state: z.enum(VERSION_STATES).describe('`NEVER`: the version after it began first.'),
    contentHash: z.string().describe('SHA-256 over the policy.'),
    from: instant.describe('It counts for what the broker took from then on.'),
    activatedAt: instant,
    askedBy: z.string(),
    approvedBy: z.string(),
    approvalId: z.string(),
    reason: z.string(),
    flaw: z.string().nullable().describe('Why it cannot be used here: the version before it holds.'),
  })
  .meta({ id: 'PolicyVersion' });

export const policiesDto = z
  .object({
    items: z.array(
      z.object({
        kind,
        inForce: z.int().describe('Version that counts now; 0: what the configuration of each stage holds.'),
        name: z.string().describe('Of what counts; for version 0, as this process is configured.'),
        last: z.int().describe('The newest version: what a proposal must have seen.'),
        versions: z.array(policyVersionDto).describe('The newest first.'),
      }),
    ),
  })
  .meta({ id: 'Policies' });

export const wholePolicyDto = policyVersionDto
  .extend({
    content: z.unknown().describe('The policy, as it would stand in its file; null: it cannot be used.'),
    changes: z.array(z.string()).describe('What changed against the version before it, a line each.'),
  })
  .meta({ id: 'WholePolicyVersion' });

const proposal = z
  .strictObject({
    content: z.record(z.string(), z.unknown()).describe('The policy, as it would stand in its file.'),
    fromVersion: z.int().min(0).describe('The newest version that you have seen; 0: there is none.'),
    validFrom: instant
      .nullable()
      .describe('It counts for what the broker takes from then on; null: once it is let through.'),
    reason: reasonText,
  })
  .meta({ id: 'PolicyProposal' });

const dtoOf = (version: ShownVersion) => ({
  ...version,
  from: instantOf(version.from),
  activatedAt: instantOf(version.activatedAt),
});

const list = route({
  name: 'listPolicies',
  method: 'GET',
  url: '/v1/policies',
  action: 'policies.read',
  tag: 'Operations',
  summary: 'The policies, and all their versions',
  description: 'Law as data: limit rules and terms. What counts an event is told by when the broker took it.',
  answers: { 200: policiesDto },
  refusals: LOG_REFUSALS,
  async handle({ parts }) {
    const { log, kinds } = operatorsOf(parts).policies;
    const found = await listPolicies(kinds, log, { now: parts.clock() });
    return answer(200, { items: found.map((each) => ({ ...each, versions: each.versions.map(dtoOf) })) });
  },
});

const show = route({
  name: 'getPolicyVersion',
  method: 'GET',
  url: '/v1/policies/:kind/versions/:version',
  action: 'policies.read',
  tag: 'Operations',
  summary: 'A version of a policy: what it says, and what it changed',
  path: z.strictObject({ kind: kindPath, version: z.string().min(1).max(48).describe('Its number, from 1.') }),
  answers: { 200: wholePolicyDto },
  refusals: [...LOG_REFUSALS, 'POLICY_UNKNOWN'],
  async handle({ parts, path }) {
    const { log, kinds } = operatorsOf(parts).policies;
    const asked = { kind: path.kind, version: Number(path.version), now: parts.clock() };
    const { content, changes, ...shown } = await showPolicy(kinds, log, asked);
    return answer(200, { ...dtoOf(shown), content, changes: [...changes] });
  },
});

const propose = route({
  name: 'proposePolicy',
  method: 'POST',
  url: '/v1/policies/:kind/versions',
  action: 'policies.propose',
  tag: 'Operations',
  summary: 'Ask a second person to put a version of a policy in force',
  description:
    'The approval is bound to the content, to the version that it takes the place of and to what it changes. To roll back, propose an old content anew.',
  path: z.strictObject({ kind: kindPath }),
  headers: { 'idempotency-key': keyField },
  body: proposal,
  bodyLimit: 128 * 1024,
  answers: { 201: approvalDto },
  refusals: [
    ...(['POLICY_UNKNOWN', 'POLICY_INVALID', 'POLICY_MOVED', 'APPROVAL_MOVED', 'IDEMPOTENCY_KEY_INVALID'] as const),
    ...([...LOG_REFUSALS, 'MONGO_UNAVAILABLE', 'OPTION_INVALID'] as const),
  ],
  async handle({ parts, principal, path, body, header }) {
    const { policies, replays, ring } = operatorsOf(parts);
    const { content, fromVersion, validFrom, reason } = body;
    const id = idFromKey('policy', principal.subject, header('idempotency-key'));
    const approval = await askToActivatePolicy(
      { ...policies, approvals: replays.approvals },
      {
        ...{ id, kind: path.kind, content, fromVersion, reason, at: new Date(parts.clock()) },
        validFrom: validFrom === null ? null : Date.parse(validFrom),
        by: { ...principal, name: principal.subject },
      },
      ring,
    );
    const headers = { location: `/v1/approvals/${approval._id}`, etag: approvalEtag(approval) };
    const on = { kind: 'policies', id: policyKey({ kind: path.kind, version: fromVersion + 1 }), isKnown: true };
    return { ...answer(201, approvalOf(approval, ring), headers), audited: { on } };
  },
});

export const policyRoutes: readonly Route[] = [list, show, propose];
