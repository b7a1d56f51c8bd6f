// Who may decide what was found by comparing a person with a list: whoever sees both as they are. Pure.
import { CodedError } from '../../../ports/fault.ts';
import { sightOf } from '../../access/masking.ts';
import type { Principal } from '../../access/principal.ts';
import type { FoundCase } from './find.ts';

/**
 * Holds for who decides and for the second person alike: who agrees to what they cannot see adds nothing.
 * @throws CodedError ACTION_FORBIDDEN
 */
export function checkSight(found: FoundCase, { roles }: Pick<Principal, 'roles'>): void {
  const isCompared = found.kind === 'CUSTOMER' || (found.kind === 'HOLD' && found.hold.stage !== 'LIMITS');
  if (!isCompared || sightOf(roles) === 'full') return;
  throw new CodedError('ACTION_FORBIDDEN', 'this is decided by who may see the parties as they are');
}
