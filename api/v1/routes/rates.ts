// Rates that jumped: accepted by two persons.
import { z } from 'zod';
import { pairKey } from '../../../domain/pricing/jumps.ts';
import { askToAcceptJump } from '../../../operations/rates/jumps.ts';
import { idFromKey, keyField } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { operatorsOf, reasonText } from '../operators.ts';

const decimalText = z.string().regex(/^[0-9]{1,20}(\.[0-9]{1,20})?$/);

const jumpAsked = z
  .strictObject({
    corridor: z.string().min(1).max(48),
    pair: z
      .string()
      .regex(/^[A-Z]{3}\/[A-Z]{3}$/)
      .describe('Such as `GBP/INR`: as the rate is quoted.'),
    rate: decimalText.describe('What one unit of the first costs in the second, as health shows it.'),
    from: z
      .strictObject({ rate: decimalText, version: z.int().min(1) })
      .optional()
      .describe(
        'What the corridor goes by, as `RATE_JUMPED` in the health of pricing says it. Absent: as the log says, unproven.',
      ),
    reason: reasonText,
  })
  .meta({ id: 'RateJump' });

const accept = route({
  name: 'askToAcceptRateJump',
  method: 'POST',
  url: '/v1/rates/jumps',
  action: 'rates.accept',
  tag: 'Operations',
  summary: 'Ask a second person to accept that a rate has jumped',
  description:
    'Transfers of the pair on this corridor go on once another person approves, while the rate is about the one named, for an hour at most. What the corridor goes by is read from the log without a proof, unless `from` names it; the stage looks at it again, and takes no jump from another rate.',
  headers: { 'idempotency-key': keyField },
  body: jumpAsked,
  answers: { 201: approvalDto },
  refusals: [
    ...(['RATE_JUMP_INVALID', 'APPROVAL_MOVED', 'IDEMPOTENCY_KEY_INVALID'] as const),
    ...(['MONGO_UNAVAILABLE', 'KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'] as const),
  ],
  async handle({ parts, principal, body: { corridor, pair, rate, from, reason }, header }) {
    const { rates, replays, ring } = operatorsOf(parts);
    const id = idFromKey('rate-jump', principal.subject, header('idempotency-key'));
    const stores = { log: rates, approvals: replays.approvals, corridors: parts.corridors };
    const by = { ...principal, name: principal.subject };
    const asked = { id, corridor, pair, rate, from, by, reason, at: new Date(parts.clock()) };
    const approval = await askToAcceptJump(stores, asked, ring);
    const headers = { location: `/v1/approvals/${approval._id}`, etag: approvalEtag(approval) };
    const [base, quote] = pair.split('/') as [string, string];
    const on = { kind: 'rates', id: pairKey({ corridor, base, quote }), isKnown: true };
    return { ...answer(201, approvalOf(approval, ring), headers), audited: { on } };
  },
});

export const rateRoutes: readonly Route[] = [accept];
