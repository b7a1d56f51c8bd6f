// Which keys each program needs, and no more: for the check at its start, for the documentation, and for whoever installs it.
// What seals what stands in the contracts of topics; so a part that reads or writes another topic needs its key by itself.
import { isForTrials } from '../../ports/environment.ts';
import { type Config, KEY_VARIABLES, type KeyVariable } from '../../runtime/config/config.ts';
import type { Issuer } from '../../topics/contract.ts';
import { issuersOf, PROCESSOR_NAMES, type ProcessParts, SINK_NAMES } from './part-selection.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface KeysOfProgram {
  /** It does not start without them. */
  readonly needs: readonly KeyVariable[];
  /** It uses them where it is given them. */
  readonly takes: readonly KeyVariable[];
}

const VARIABLE: Readonly<Record<Issuer, KeyVariable>> = {
  stages: 'CORRIDOR_STAGE_KEYS',
  operators: 'CORRIDOR_OPERATOR_KEYS',
  executor: 'CORRIDOR_EXECUTOR_KEYS',
  feeds: 'CORRIDOR_FEED_KEYS',
  audit: 'CORRIDOR_AUDIT_KEYS',
  lifecycle: 'CORRIDOR_LIFECYCLE_KEYS',
};

const NO_PARTS: ProcessParts = {
  ...{ processors: [], sinks: [], payouts: false, cases: false, rescreening: false, replays: false, audit: false },
  ...{ webhooks: false, analytics: false, exports: false },
};

/** What `corridor run` needs for these parts. Pure. */
export function keysOfParts(parts: ProcessParts): KeysOfProgram {
  const isIntake = parts.processors.includes('intake');
  const needs: readonly KeyVariable[] = [
    ...issuersOf(parts).map((issuer) => VARIABLE[issuer]),
    // Intake makes the tokens of customers, and a dry run has it make them.
    ...(isIntake || parts.replays ? (['CORRIDOR_TOKEN_KEY'] as const) : []),
    ...(parts.audit ? (['CORRIDOR_AUDIT_SIGNING_KEYS'] as const) : []),
    ...(parts.webhooks || parts.sinks.includes('webhooks') ? (['CORRIDOR_WEBHOOK_KEYS'] as const) : []),
  ];
  const takes: readonly KeyVariable[] = [
    // Pauses and skips are believed by whoever can check them.
    'CORRIDOR_OPERATOR_KEYS',
    ...(isIntake || parts.replays ? (['CORRIDOR_INTENT_KEYS'] as const) : []),
    // With it each row is checked before it is a file.
    ...(parts.exports ? (['CORRIDOR_LIFECYCLE_KEYS'] as const) : []),
  ];
  return { needs: [...new Set(needs)], takes: takes.filter((name) => !needs.includes(name)) };
}

/** What `corridor api` needs for these faces. Pure. */
export function keysOfFaces(faces: Config['api']['faces']): KeysOfProgram {
  return {
    needs: ['CORRIDOR_AUDIT_KEYS', ...(faces.includes('operators') ? (['CORRIDOR_OPERATOR_KEYS'] as const) : [])],
    takes: faces.includes('producers') ? ['CORRIDOR_INTENT_KEYS', 'CORRIDOR_WEBHOOK_KEYS'] : [],
  };
}

/** `corridor verify` checks every seal of the chain, and of published rates where it can. */
const VERIFY: KeysOfProgram = {
  needs: ['CORRIDOR_STAGE_KEYS', 'CORRIDOR_OPERATOR_KEYS', 'CORRIDOR_EXECUTOR_KEYS', 'CORRIDOR_LIFECYCLE_KEYS'],
  takes: ['CORRIDOR_FEED_KEYS'],
};
const FEED: KeysOfProgram = { needs: ['CORRIDOR_FEED_KEYS'], takes: [] };

/** Every program by the command that starts it. */
export const KEYS_OF_PROGRAMS: ReadonlyMap<string, KeysOfProgram> = new Map([
  ...PROCESSOR_NAMES.map(
    (name) => [`run --processors ${name}`, keysOfParts({ ...NO_PARTS, processors: [name] })] as const,
  ),
  ...SINK_NAMES.map((name) => [`run --sinks ${name}`, keysOfParts({ ...NO_PARTS, sinks: [name] })] as const),
  ...(['payouts', 'cases', 'rescreening', 'replays', 'audit', 'webhooks', 'analytics'] as const).map(
    (name) => [`run --${name}`, keysOfParts({ ...NO_PARTS, [name]: true })] as const,
  ),
  ['api (CORRIDOR_API_FACES=producers)', keysOfFaces(['producers'])],
  ['api (CORRIDOR_API_FACES=operators)', keysOfFaces(['operators'])],
  ['verify', VERIFY],
  ['feed', FEED],
]);

/** All that a program uses here: what it needs, and what it takes where there is one. */
export const usedBy = ({ needs, takes }: KeysOfProgram, env: Env): readonly KeyVariable[] => [
  ...needs,
  ...takes.filter((name) => isForTrials(env) || (env[name] ?? '') !== ''),
];

/** The keys that a command which a person types may use: all that it was given. Whatever it has not, it says when it needs it. */
export const keysGiven = (env: Env): readonly KeyVariable[] => usedBy({ needs: [], takes: KEY_VARIABLES }, env);
