// The law of a run, as files: corridors that believe no single source of rates, and limits of every subject and window. Those
// beside the built-in ones are so high that no transfer meets them, or refuse nothing: what they count must be right all the same.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { LIMIT_RULES, type LimitRule } from '../../domain/limits/limit-rules.ts';

/** The sources of rates of a run. The first that agrees with others is taken. */
export const RATE_SOURCES = ['alpha', 'beta', 'gamma'] as const;
export type RateSource = (typeof RATE_SOURCES)[number];
/** Two must say the same, which is no farther apart than this, in ten-thousandths. */
const QUORUM = 2;
const MAX_DISTANCE_BPS = 50;
/** A source that is silent for this long says nothing any more, ms. */
export const MAX_RATE_AGE_MS = 45_000;

const NOBODY_MEETS = 10n ** 14n;
const HOUSE = {
  where: {},
  action: 'reject',
  limitMinor: NOBODY_MEETS,
  declaredUse: false,
  freedByReturn: true,
  authority: 'House rule',
  link: null,
  validFrom: '1970-01-01',
  validTo: null,
  status: 'CONFIRMED',
} as const;
/** A rate of every price leads to rupees. */
const RUPEES = { kind: 'amount', of: 'principal', currency: 'INR' } as const;

const MORE_RULES: readonly LimitRule[] = [
  {
    ...HOUSE,
    ruleId: 'beneficiary-30-days',
    subject: 'beneficiary',
    metric: RUPEES,
    window: { kind: 'rolling', unit: 'day', length: 30 },
  },
  {
    ...HOUSE,
    ruleId: 'pair-week',
    subject: 'pair',
    metric: { kind: 'count' },
    window: { kind: 'calendar', unit: 'week', timeZone: 'Europe/London', weekStart: 'monday' },
  },
  {
    ...HOUSE,
    ruleId: 'funding-account-shadow',
    subject: 'funding-account',
    metric: RUPEES,
    window: { kind: 'rolling', unit: 'minute', length: 10 },
    limitMinor: 1_000_000n,
    action: 'shadow',
  },
  {
    ...HOUSE,
    ruleId: 'sender-beneficiaries',
    subject: 'sender',
    metric: { kind: 'beneficiaries' },
    window: { kind: 'lifetime' },
  },
  {
    ...HOUSE,
    ruleId: 'producer-year',
    subject: 'producer',
    metric: { kind: 'count' },
    window: { kind: 'calendar', unit: 'year', timeZone: 'Asia/Kolkata', yearStart: 4 },
    freedByReturn: false,
  },
];

/** Writes both files into `dir`. @returns the environment that names them */
export function writeLaw(dir: string): NodeJS.ProcessEnv {
  const corridors = CORRIDORS.map((corridor) => ({
    ...corridor,
    maxRateAgeMs: MAX_RATE_AGE_MS,
    rates: {
      ...corridor.rates,
      sources: RATE_SOURCES,
      quorum: QUORUM,
      maxDistanceBps: MAX_DISTANCE_BPS,
      // At weekends as on working days.
      maxClosedRateAgeMs: MAX_RATE_AGE_MS,
    },
  }));
  const limits = {
    name: 'chaos',
    version: '1',
    note: 'Those built in, and one of each other subject and window.',
    rules: [...LIMIT_RULES, ...MORE_RULES],
  };
  return {
    CORRIDOR_CORRIDORS_FILE: written(dir, 'corridors.json', corridors),
    CORRIDOR_LIMITS_FILE: written(dir, 'limits.json', limits),
  };
}

function written(dir: string, name: string, content: unknown): string {
  const file = path.join(dir, name);
  writeFileSync(
    file,
    JSON.stringify(content, (_, value) => (typeof value === 'bigint' ? value.toString() : value)),
  );
  return file;
}
