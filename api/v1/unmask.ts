// Records as they are: for whom the table lets, with a reason, and in the audit log before they are shown.
import { z } from 'zod';
import { type Sight, sightOf } from '../../operations/access/masking.ts';
import { type Principal, permission } from '../../operations/access/principal.ts';
import { LOOK_REASONS, lookUnmasked } from '../../operations/access/unmasked-look.ts';
import type { Audit } from '../../operations/audit/audit.ts';
import { actorOf } from '../http/auditing.ts';

/** The query of whatever can be shown unmasked. */
export const unmaskQuery = z.strictObject({
  unmask: z
    .enum(LOOK_REASONS)
    .optional()
    .describe('Why you need names and accounts as they are. The look is in the audit log. Without it they are masked.'),
  ticket: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{0,9}-[0-9]{1,12}$/, 'the number of a ticket, such as INC-1234')
    .optional()
    .describe('Number of the ticket that it is for.'),
});

interface Asked {
  readonly query: z.output<typeof unmaskQuery>;
  readonly principal: Principal;
  readonly traceId: string;
  readonly parts: { readonly audit: Audit };
}

/** What anybody sees without saying why. */
export const unasked = (sight: Sight): Sight => (sight === 'full' ? 'masked' : sight);

/**
 * Reads a record as the one who asks may see it.
 * @throws CodedError ACTION_FORBIDDEN, AUDIT_UNAVAILABLE, and what `read` throws
 */
export async function shownTo<T>(
  { query: { unmask, ticket }, principal, traceId, parts }: Asked,
  on: { readonly kind: string; readonly id: string },
  read: (sight: Sight) => Promise<T>,
): Promise<T> {
  if (unmask === undefined) return read(unasked(sightOf(principal.roles)));
  permission(principal, 'records.unmask');
  const look = { who: actorOf(principal), on, reason: unmask, ticket, requestId: traceId };
  return lookUnmasked(parts.audit, look, () => read('full'));
}
