// Parts of the running pipeline that people have paused: seen, paused by one person at once, resumed by two.
import { z } from 'zod';
import type { Principal } from '../../../operations/access/principal.ts';
import { askToResume, listControls, pauseTarget } from '../../../operations/control/controls.ts';
import { targetNamed } from '../../../operations/control/targets.ts';
import type { RuntimeControl } from '../../../schemas/types.generated.ts';
import { controlKey, isInForce, targetKey } from '../../../topics/control-key.ts';
import { idFromKey, keyField } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { instant, instantOf } from '../dto.ts';
import { operatorsOf, reasonText } from '../operators.ts';

export const controlDto = z
  .object({
    target: z.string().describe('Such as `corridor/GB-IN`.'),
    isPaused: z.boolean(),
    version: z.int().describe('Rises with each change.'),
    changedBy: z.string(),
    changedAt: instant,
    reason: z.string(),
    approvedBy: z.string().nullable(),
    approvalId: z.string().nullable(),
  })
  .meta({ id: 'Control' });

const controlOf = (control: RuntimeControl): z.output<typeof controlDto> => ({
  ...{ target: controlKey(control).toLowerCase(), isPaused: isInForce(control), version: control.version },
  ...{ changedBy: control.changedBy, changedAt: instantOf(control.changedAt), reason: control.reason },
  ...{ approvedBy: control.approvedBy, approvalId: control.approvalId },
});

const targeted = z
  .strictObject({
    target: z
      .string()
      .min(1)
      .max(100)
      .describe('processor/NAME, partition/NAME/NUMBER, corridor/ID, provider/NAME or rail/NAME.'),
    reason: reasonText,
  })
  .meta({ id: 'TargetedControl' });

const LOG_REFUSALS = ['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'WRITE_UNKNOWN'] as const;

/** What the audit log says that it was about. */
const onControl = (target: string) => ({ on: { kind: 'controls', id: target.toLowerCase(), isKnown: true } });

/** The person whom the token names: what stands in the log is its subject. */
const asPerson = (principal: Principal): Principal => ({ ...principal, name: principal.subject });

const list = route({
  name: 'listControls',
  method: 'GET',
  url: '/v1/controls',
  action: 'controls.read',
  tag: 'Operations',
  summary: 'What is paused, the latest first',
  query: z.strictObject({ all: z.literal('true').optional().describe('Also what was resumed.') }),
  answers: { 200: z.object({ items: z.array(controlDto) }).meta({ id: 'Controls' }) },
  refusals: LOG_REFUSALS,
  async handle({ parts, principal, query: { all } }) {
    const found = await listControls(operatorsOf(parts).controls.log, principal, { all: all === 'true' });
    return answer(200, { items: found.map(controlOf) });
  },
});

const pause = route({
  name: 'pause',
  method: 'POST',
  url: '/v1/controls/pause',
  action: 'control.pause',
  tag: 'Operations',
  summary: 'Pause a part of the pipeline now, alone: stopping moves no money',
  description: 'Every process honours it within a second of reading it. What is paused already is paused anew.',
  body: targeted,
  answers: { 200: controlDto },
  refusals: [...LOG_REFUSALS, 'CONTROL_TARGET_INVALID', 'CONTROL_MOVED'],
  async handle({ parts, principal, body: { target, reason } }) {
    const { log, known } = operatorsOf(parts).controls;
    const setting = {
      target: targetNamed(target, known),
      by: asPerson(principal),
      reason,
      at: new Date(parts.clock()),
    };
    const control = controlOf(await pauseTarget(log, setting));
    return { ...answer(200, control), audited: onControl(control.target) };
  },
});

const resume = route({
  name: 'askToResume',
  method: 'POST',
  url: '/v1/controls/resume',
  action: 'control.resume',
  tag: 'Operations',
  summary: 'Ask a second person to let it go on',
  description: 'It goes on once another person approves: then at once.',
  headers: { 'idempotency-key': keyField },
  body: targeted,
  answers: { 201: approvalDto },
  refusals: [
    ...LOG_REFUSALS,
    ...(['CONTROL_TARGET_INVALID', 'CONTROL_NOT_PAUSED', 'APPROVAL_MOVED', 'MONGO_UNAVAILABLE'] as const),
    'IDEMPOTENCY_KEY_INVALID',
  ],
  async handle({ parts, principal, body: { target, reason }, header }) {
    const { controls, replays, ring } = operatorsOf(parts);
    const id = idFromKey('resume', principal.subject, header('idempotency-key'));
    const by = { target: targetNamed(target, controls.known), by: asPerson(principal), reason };
    const stores = { log: controls.log, approvals: replays.approvals };
    const approval = await askToResume(stores, { id, ...by, at: new Date(parts.clock()) }, ring);
    const headers = { location: `/v1/approvals/${approval._id}`, etag: approvalEtag(approval) };
    return { ...answer(201, approvalOf(approval, ring), headers), audited: onControl(targetKey(by.target)) };
  },
});

export const controlRoutes: readonly Route[] = [list, pause, resume];
