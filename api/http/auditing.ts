// What the API tells the audit log: an act of a person before it is done, and whatever came of a request. A flood is counted,
// not listed: so nobody fills the log by being refused, and programs of producers do not by working.

import type { Principal } from '../../operations/access/principal.ts';
import type { ActResult, Audit } from '../../operations/audit/audit.ts';
import type { Act, Actor, Target } from '../../operations/audit/entry.ts';
import { FloodGate } from '../../operations/audit/flood-gate.ts';
import { codeAndDetail } from '../../ports/fault.ts';
import type { Route } from './route.ts';

/** A request as far as it came: without a principal nobody was known. */
export interface Asking {
  readonly route: Pick<Route, 'method' | 'url' | 'action' | 'name' | 'isRecorded'>;
  readonly principal: Principal | null;
  readonly requestId: string;
  /** The first parameter of its path. */
  readonly id: string | undefined;
  /** entryId of the entry before the act. */
  readonly partOf: string | undefined;
}

export interface Auditing {
  /**
   * Before an act of a person is begun, or one of a program that is recorded. Resolves with the id of its entry when that is durable; undefined where none is needed.
   * @throws CodedError AUDIT_UNAVAILABLE
   */
  begin(asking: Asking): Promise<string | undefined>;
  /** It was done, or shown. `status` 304 shows nothing. */
  done(asking: Asking, status: number, result?: ActResult): void;
  /** It was not. */
  failed(asking: Asking, error: unknown): void;
  /** Writes the counts of windows that are over; of every window at the end. */
  flush(now: number): void;
}

const WINDOW_MS = 60_000;
/** Of what one subject is denied, or fails to see, for one reason, in a window. */
const LISTED = 20;
/** Of what a program asks for. */
const LISTED_OF_PROGRAMS = 1;
const PROGRAMS: readonly string[] = ['producer', 'service'];
/** Nobody was let do anything. */
const DENIALS: readonly string[] = ['ACTION_FORBIDDEN', 'RATE_LIMITED', 'SECOND_PERSON_NEEDED', 'MAKER_ONLY'];

/** @param clock ms since 1970 */
export function auditing(audit: Audit, clock: () => number): Auditing {
  const refused = new FloodGate({ perWindow: LISTED, windowMs: WINDOW_MS });
  const programs = new FloodGate({ perWindow: LISTED_OF_PROGRAMS, windowMs: WINDOW_MS });
  const note = (acts: readonly Act[]) => {
    if (acts.length > 0) audit.note(acts);
  };
  const kindOf = ({ who, action, outcome, reasonCode = '' }: Act) =>
    JSON.stringify([who.subject, action, outcome, reasonCode]);

  return {
    async begin(asking) {
      if (asking.route.method === 'GET' || isCounted(asking)) return undefined;
      const { name: reasonCode } = asking.route;
      const [entryId] = await audit.record([{ ...actOf(asking), outcome: 'ALLOWED', reasonCode }]);
      return entryId;
    },
    done(asking, status, result = {}) {
      if (status === 304) return;
      const isRead = asking.route.method === 'GET';
      const act = { ...actOf(asking), outcome: isRead ? 'VIEWED' : 'DONE' } as const;
      if (isCounted(asking)) return note(programs.take(kindOf(act), act, clock()));
      // Several acts share one right, such as those on a replay: the name of the route says which it was.
      const standard = isRead ? undefined : asking.route.name;
      const { items = [], on = { ...act.on, isKnown: true }, reasonCode = standard, decidedOn } = result;
      const { who, action, requestId, partOf } = act;
      note([
        { ...act, on, reasonCode, decidedOn },
        ...items.map((item): Act => ({ who, action, requestId, partOf, ...item })),
      ]);
    },
    failed(asking, error) {
      const { code } = codeAndDetail(error);
      const isDenied = asking.principal === null || DENIALS.includes(code);
      const act = { ...actOf(asking), outcome: isDenied ? 'DENIED' : 'FAILED', reasonCode: code } as const;
      if (asking.partOf !== undefined) note([act]);
      else note(refused.take(kindOf(act), act, clock()));
    },
    flush(now) {
      note([...refused.due(now), ...programs.due(now)]);
    },
  };
}

/** What programs do is counted, but for what is rare and matters. */
const isCounted = ({ principal, route }: Asking): boolean => isProgram(principal) && route.isRecorded !== true;

const isProgram = (principal: Principal | null): boolean =>
  principal !== null && principal.roles.length > 0 && principal.roles.every((role) => PROGRAMS.includes(role));

/** Who asks, for the audit log. */
export const actorOf = (principal: Principal | null): Actor =>
  principal === null
    ? { subject: null, roles: [], credential: 'NONE' }
    : {
        subject: principal.subject,
        roles: principal.roles,
        credential: principal.credential === 'key' ? 'KEY' : 'TOKEN',
      };

function actOf({ route, principal, requestId, id, partOf }: Asking): Omit<Act, 'outcome'> {
  const on: Target = { kind: route.url.split('/')[2] ?? 'requests', id };
  return { who: actorOf(principal), action: route.action, on, requestId, partOf };
}
