// The ledger of limits in force, looked at: one script call that only reads, whatever the number of rules and subjects.
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { LedgerCount, LedgerEyes, LedgerLook, LedgerPlace } from '../../operations/limits/standing.ts';
import { CodedError } from '../../ports/fault.ts';
import { LIMITS_DEPENDENCY } from './limits-client.ts';
import { bucketOf } from './limits-codec.ts';
import { checkForm, scriptFault, shortIn } from './limits-generation.ts';

const SCRIPT = readFileSync(new URL('./limits-standing.lua', import.meta.url), 'utf8');
type Scripted = Redis & { corridorLimitsLook: (key: string, ...args: string[]) => Promise<unknown> };

const whole = z.string().regex(/^-?\d{1,20}$/);
const reply = z.tuple([z.string().min(1), z.string(), z.string()]).rest(
  z
    .array(whole)
    .min(2)
    .refine((fields) => fields.length % 2 === 0),
);

/** @param namespace of the ledger; see limitsNamespace */
export function limitsStanding(redis: Redis, namespace: string): LedgerEyes {
  redis.defineCommand('corridorLimitsLook', { numberOfKeys: 1, lua: SCRIPT });
  const client = redis as Scripted;
  return {
    async look(places) {
      const asked = places.flatMap((place) => [bucketOf(place), place.hasMembers ? 'm' : '']);
      const answer = await client
        .corridorLimitsLook(`${namespace}:generation`, namespace, ...asked)
        .catch((error: unknown) => {
          throw scriptFault(redis, error);
        });
      const [marker, ...rest] = parsed(answer, places);
      checkForm(marker);
      return lookOf(rest);
    },
  };
}

/** What was asked for, and nothing else. @throws CodedError REDIS_UNAVAILABLE */
function parsed(answer: unknown, places: readonly LedgerPlace[]): z.output<typeof reply> {
  const found = reply.safeParse(answer);
  if (found.success && found.data.length === 3 + places.length) return found.data;
  throw new CodedError('REDIS_UNAVAILABLE', `${LIMITS_DEPENDENCY} answered what nobody asked for`, {
    faultClass: 'transient-dependency',
    dependency: LIMITS_DEPENDENCY,
  });
}

function lookOf([short, catchUp, ...counts]: readonly [string, string, ...(readonly string[])[]]): LedgerLook {
  return {
    counts: counts.map(countOf),
    short: short === '' ? [] : shortIn(short),
    isCaughtUp: catchUp === '',
  };
}

function countOf([used, open, ...steps]: readonly string[]): LedgerCount {
  return {
    used: BigInt(used!),
    open: Number(open),
    steps: Array.from({ length: steps.length / 2 }, (_, at) => ({
      step: Number(steps[2 * at]),
      held: BigInt(steps[2 * at + 1]!),
    })),
  };
}
