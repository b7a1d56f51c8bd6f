// A quorum of sources is worth something only where no one key speaks for all of them.
import type { Corridor } from '../domain/corridors/corridors.ts';
import { type KeyRing, speakerOf } from '../domain/seals/seal.ts';
import { isForTrials } from '../ports/environment.ts';
import { CodedError } from '../ports/fault.ts';

/**
 * @param env decides what is for trials, where one key for all feeds will do
 * @throws CodedError CONFIG_INVALID (fatal) where a corridor asks for several sources and some key speaks for any of them
 */
export function checkFeedKeys(
  feeds: KeyRing,
  corridors: readonly Corridor[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): void {
  if (isForTrials(env) || corridors.every(({ rates }) => rates.quorum < 2)) return;
  const unbound = [...feeds.keys.keys()].filter((id) => speakerOf(id) === undefined);
  if (unbound.length === 0) return;
  const asks = corridors.filter(({ rates }) => rates.quorum > 1).map(({ id }) => id);
  throw new CodedError(
    'CONFIG_INVALID',
    `CORRIDOR_FEED_KEYS: a corridor (${asks.join(', ')}) asks for several sources of rates, and the keys ${unbound.join(', ')} speak for any of them: name the source of each, as in ecb@2026`,
    { faultClass: 'fatal' },
  );
}
