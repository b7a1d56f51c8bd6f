// What somebody has used of limits, what is left and when it frees. Persons and accounts are tokens here, never names or ids.
import { z } from 'zod';
import { LIMIT_SUBJECTS } from '../../../domain/limits/limit-rules.ts';
import { TRANSFER_ID_PATTERN, TRANSFER_ID_RULE } from '../../../domain/transfers/transfer-id.ts';
import { subjectNamed, subjectsOf } from '../../../operations/limits/standing.ts';
import { transferUnknown } from '../../../operations/queries/standing.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { limitStandingDto, limitStandingOf, transferLimitsDto } from '../limits-dto.ts';
import { operatorsOf } from '../operators.ts';

const LOOK_REFUSALS = [
  ...(['REDIS_UNAVAILABLE', 'LIMITS_NOT_HYDRATED', 'LEDGER_NEWER', 'POLICY_UNUSABLE', 'TOO_BUSY'] as const),
  ...(['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'] as const),
] as const;
const NEVER_NOUGHT =
  'Where the ledger of limits is away or being rebuilt it is refused (503), and where less is counted than was used it says so: `complete`.';

const ofSubject = route({
  name: 'getLimits',
  method: 'GET',
  url: '/v1/limits/:subject',
  action: 'limits.read',
  tag: 'Operations',
  summary: 'What somebody has used of limits, what is left, and when it frees',
  description: `Rule by rule, as the stage would reckon it now. ${NEVER_NOUGHT}`,
  path: z.strictObject({
    subject: z
      .string()
      .min(1)
      .max(250)
      .describe(
        'The token of a sender, beneficiary or account; TOKEN.TOKEN of a pair; the id of a producer; the name of a provider.',
      ),
  }),
  query: z.strictObject({ kind: z.enum(LIMIT_SUBJECTS).describe('What the subject is.') }),
  answers: { 200: limitStandingDto },
  refusals: [...LOOK_REFUSALS, 'LIMIT_SUBJECT_INVALID'],
  async handle({ parts, path: { subject }, query: { kind } }) {
    const [standing] = await operatorsOf(parts).limits.standings([subjectNamed(kind, subject)]);
    return answer(200, limitStandingOf(standing!));
  },
});

const ofTransfer = route({
  name: 'getTransferLimits',
  method: 'GET',
  url: '/v1/transfers/:transferId/limits',
  action: 'limits.read',
  tag: 'Transfers',
  summary: 'What everybody in a transfer has used of limits, what is left, and when it frees',
  description: `Of the sender, the beneficiary, both together, and the producer, as of now and not of when it was decided. ${NEVER_NOUGHT}`,
  path: z.strictObject({ transferId: z.string().regex(TRANSFER_ID_PATTERN, TRANSFER_ID_RULE) }),
  answers: { 200: transferLimitsDto },
  refusals: [...LOOK_REFUSALS, 'TRANSFER_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle({ parts, path: { transferId } }) {
    const transfer = await parts.transferViews.find(transferId);
    if (transfer === undefined) throw transferUnknown(transferId);
    const standings = await operatorsOf(parts).limits.standings(subjectsOf(transfer));
    return answer(200, { transferId, items: standings.map(limitStandingOf) });
  },
});

export const limitRoutes: readonly Route[] = [ofSubject, ofTransfer];
