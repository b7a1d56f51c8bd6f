// Neither Redis may evict: a queue would forget timers, and limits would forget what was spent, both without a word.
import { CodedError } from '../../ports/fault.ts';

/**
 * Refuses a server that may evict, whether or not it has a memory limit today.
 * @param memory the answer to INFO memory; one that does not tell the policy is let through
 * @param dependency redis-limits or redis-queue
 * @throws CodedError REDIS_MAY_EVICT (fatal)
 */
export function refuseEviction(memory: string, dependency: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  throw new CodedError('REDIS_MAY_EVICT', `set maxmemory-policy noeviction on ${dependency} (now ${policy})`, {
    faultClass: 'fatal',
    dependency,
  });
}
