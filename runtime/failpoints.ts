// Places between two side effects where a test can make the process die, fail or dawdle. Nothing happens, and nothing
// is paid for, unless CORRIDOR_FAILPOINTS is set, and CORRIDOR_ENV says development or test:
//
//   CORRIDOR_ENV=test CORRIDOR_FAILPOINTS='intake.after-prepare=kill@3,eos.after-send=delay:200@1+'
//
// `kill` ends the process as `kill -9` does, `stop` holds it as `kill -STOP` does until somebody continues it, `throw`
// throws, `delay:MS` waits, `wedge` blocks the event loop for ever. `@3` means the third time only, `@2+` the second and every later time; without it, every time.
// CORRIDOR_FAILPOINT_LOG names a file to which each failpoint is appended when it is first reached (`reached NAME`) and
// whenever it acts (`kill NAME 3`), before it does. With CORRIDOR_FAILPOINTS_FILE, a process that gets SIGUSR2 takes the
// rules of that file in place of those it has, and counts from one again: a harness arms it while it works.
import { appendFileSync, readFileSync } from 'node:fs';
import { CLOSING_FAILPOINTS, PAYOUT_FAILPOINTS } from '../payouts/ports.ts';
import { ACT_FAILPOINTS } from '../ports/act-failpoints.ts';
import { forbiddenVariables, refuseOutsideTrials } from '../ports/environment.ts';
import { CodedError } from '../ports/fault.ts';
import { LOG_FAILPOINTS } from '../ports/log-failpoints.ts';
import { pause } from '../ports/pause.ts';
import { WEBHOOK_FAILPOINTS } from '../ports/webhook-failpoints.ts';
import { PRICING_FAILPOINTS } from '../processors/fx-pricing/ports.ts';
import { HOLD_CLAIMS_FAILPOINTS, HOLD_FAILPOINTS } from '../processors/holds.ts';
import { INTAKE_FAILPOINTS } from '../processors/intake/ports.ts';
import { LIMITS_FAILPOINTS } from '../processors/limits/ports.ts';
import { SETTLEMENT_FAILPOINTS } from '../processors/settlement/ports.ts';
import { consumers, topology } from '../processors/topology.ts';

const OF_OWNERS = [
  ...INTAKE_FAILPOINTS,
  ...HOLD_FAILPOINTS,
  ...LIMITS_FAILPOINTS,
  ...HOLD_CLAIMS_FAILPOINTS,
  ...SETTLEMENT_FAILPOINTS,
  ...PAYOUT_FAILPOINTS,
  ...LOG_FAILPOINTS,
  ...PRICING_FAILPOINTS,
] as const;

/** Failpoints that no run of the crash harness has to reach: tests of their own die there. */
const OF_TESTS_OF_THEIR_OWN = [...CLOSING_FAILPOINTS, ...WEBHOOK_FAILPOINTS, ...ACT_FAILPOINTS] as const;

/**
 * Every failpoint that the crash harness draws from and has to reach: those of the hosts, then the lists of their owners. It
 * draws by seed, so a new one goes to the end of its list, and lists keep their order.
 */
export const FAILPOINTS: readonly string[] = [
  ...Object.keys(topology).map((stage) => `${stage}.after-prepare`),
  ...Object.keys(consumers).flatMap((consumer) => [`${consumer}.before-write`, `${consumer}.after-write`]),
  ...OF_OWNERS,
];

/** Every failpoint there is. */
export const ALL_FAILPOINTS: ReadonlySet<string> = new Set([...FAILPOINTS, ...OF_TESTS_OF_THEIR_OWN]);

export type FailpointName =
  | `${string}.${'after-prepare' | 'before-write' | 'after-write'}`
  | (typeof OF_OWNERS)[number]
  | (typeof OF_TESTS_OF_THEIR_OWN)[number];

type Action = { readonly kind: 'kill' | 'stop' | 'throw' | 'wedge' } | { readonly kind: 'delay'; readonly ms: number };
interface Armed {
  readonly action: Action;
  /** First and last time that it acts, counted from 1. */
  readonly from: number;
  readonly to: number;
}

const STOP_TAKES_HOLD_MS = 5;

const RULE = /^([\w.-]+)=(kill|stop|throw|wedge|delay:(\d{1,6}))(?:@(\d{1,9})(\+?))?$/;

/**
 * Parses CORRIDOR_FAILPOINTS. Throws on what it does not understand, and on a name that no failpoint has: a harness must not
 * think that it injects.
 */
export function parseFailpoints(text: string, names = ALL_FAILPOINTS): ReadonlyMap<string, readonly Armed[]> {
  const rules = new Map<string, Armed[]>();
  for (const part of text.split(',').map((rule) => rule.trim())) {
    if (part === '') continue;
    const match = RULE.exec(part);
    if (!match) throw new CodedError('FAILPOINT_UNREADABLE', `not a failpoint rule: ${part}`, { faultClass: 'fatal' });
    const [, name, what, ms, nth, plus] = match;
    if (!names.has(name!))
      throw new CodedError('FAILPOINT_UNREADABLE', `there is no failpoint ${name}`, { faultClass: 'fatal' });
    const action: Action = ms === undefined ? { kind: what as 'kill' | 'throw' } : { kind: 'delay', ms: Number(ms) };
    const from = nth === undefined ? 1 : Number(nth);
    const to = nth === undefined || plus === '+' ? Number.POSITIVE_INFINITY : from;
    rules.set(name!, [...(rules.get(name!) ?? []), { action, from, to }]);
  }
  return rules;
}

type Hook = (name: string) => Promise<void> | undefined;

/**
 * The failpoints of one environment.
 * @throws CodedError UNSAFE_REFUSED when there are any in production, FAILPOINT_UNREADABLE for text that is not a rule of one of them
 */
export function createFailpoints(env: Readonly<Record<string, string | undefined>>, names = ALL_FAILPOINTS): Hook {
  const text = env['CORRIDOR_FAILPOINTS'] ?? '';
  const file = env['CORRIDOR_FAILPOINT_LOG'];
  const rulesFile = env['CORRIDOR_FAILPOINTS_FILE'];
  if (text.trim() === '' && !file && !rulesFile) return () => undefined;
  refuseOutsideTrials(env, 'A failpoint (CORRIDOR_FAILPOINT…)');
  let rules = parseFailpoints(text, names);
  let hits = new Map<string, number>();
  const reached = new Set<string>();
  if (rulesFile) {
    process.on('SIGUSR2', () => {
      rules = parseFailpoints(readFileSync(rulesFile, 'utf8'), names);
      hits = new Map();
    });
  }
  const note = (line: string) => {
    if (file) appendFileSync(file, `${line}\n`);
  };
  return (name) => {
    const hit = (hits.get(name) ?? 0) + 1;
    hits.set(name, hit);
    if (!reached.has(name)) {
      reached.add(name);
      note(`reached ${name}`);
    }
    const armed = rules.get(name)?.find(({ from, to }) => hit >= from && hit <= to);
    if (!armed) return undefined;
    note(`${armed.action.kind} ${name} ${hit}`);
    if (armed.action.kind === 'kill') process.kill(process.pid, 'SIGKILL');
    if (armed.action.kind === 'stop') {
      process.kill(process.pid, 'SIGSTOP');
      // The signal is for the whole process: this thread may get a little further before it takes hold.
      return pause(STOP_TAKES_HOLD_MS);
    }
    // Nobody wakes it.
    if (armed.action.kind === 'wedge') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    if (armed.action.kind === 'throw') throw thrownAt(name);
    const { ms } = armed.action as { ms: number };
    return pause(ms);
  };
}

/** A fault that passes: what meets it waits and runs again, as it does when a store is away for a moment. */
const thrownAt = (name: string) =>
  new CodedError('FAILPOINT', `thrown at ${name}`, { faultClass: 'transient-dependency', dependency: 'failpoint' });

/** Reading the settings has refused them by then; whoever reads none stops at the first failpoint. */
const refused: Hook = () => refuseOutsideTrials(process.env, 'A failpoint (CORRIDOR_FAILPOINT…)') as undefined;

const active = forbiddenVariables(process.env).length > 0 ? refused : createFailpoints(process.env);

/**
 * Marks a place between two side effects, by a name of the lists above; `await` it. Throws, waits or never returns when
 * armed so. Modules that must not import the runtime get it as a parameter.
 */
export function failpoint(name: FailpointName): Promise<void> | undefined {
  return active(name);
}
