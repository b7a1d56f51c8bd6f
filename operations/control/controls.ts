// Pausing and resuming parts of the running pipeline. Who pauses acts alone and at once, since stopping moves no money; who
// resumes needs a second person. The log alone holds what is set, so it can be done while every database is away.
import type { KeyRing } from '../../domain/seals/seal.ts';
import { safeText } from '../../domain/text/text.ts';
import { pauseDetail } from '../../ports/controls.ts';
import { CodedError } from '../../ports/fault.ts';
import type { RuntimeControl } from '../../schemas/types.generated.ts';
import { type ControlTarget, controlKey, isInForce, targetKey } from '../../topics/control-key.ts';
import { type Principal, permission } from '../access/principal.ts';
import { type Act, canonicalJson, hashOfAct } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import { askForApproval, reasonOf } from '../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../approvals/execute.ts';
import type { Approvals } from '../approvals/ports.ts';
import type { ControlLog } from './ports.ts';

export interface Setting {
  readonly target: ControlTarget;
  readonly by: Principal;
  readonly reason: string;
  readonly at: Date;
}

/** A pause that others keep writing over is given up. */
const MAX_RACES = 5;

/**
 * Pauses it: every process honours that within a second of reading it, and after each start. Pausing what is paused pauses it
 * anew, so that a resumption that was asked for before does not end it. It is read again after it was written: what others
 * wrote meanwhile may be of a later version, and whoever pauses must not believe that something stands which goes on.
 * @returns what stands in the log from now on
 * @throws CodedError ACTION_FORBIDDEN, REASON_MISSING, CONTROL_MOVED; when the log does not take it, it may hold all the same
 */
export async function pauseTarget(log: ControlLog, { target, by, reason, at }: Setting): Promise<RuntimeControl> {
  permission(by, 'control.pause');
  const why = reasonOf(reason);
  const key = targetKey(target);
  let known = (await log.latest()).get(key);
  for (let race = 0; race < MAX_RACES; race++) {
    const control = setTo(target, 'PAUSED', known, { by: by.name, reason: why, at });
    await log.publish(control);
    known = (await log.latest()).get(key);
    // Who paused it at the same time, or later, stopped it too.
    if (known && isInForce(known)) return known.version === control.version ? control : known;
  }
  throw moved(key, known);
}

/** What a resumption ends: the pause with this version, and no later one. */
interface Resumption {
  readonly target: ControlTarget;
  readonly version: number;
  /** Of the pause that it ends, for who approves. */
  readonly paused: string;
}

export const actFor = ({ kind }: ControlTarget): Act => (kind === 'PROVIDER' ? 'provider.on' : 'control.resume');

/**
 * Asks a second person to let it go on.
 * @throws CodedError ACTION_FORBIDDEN, REASON_MISSING, CONTROL_NOT_PAUSED
 */
export async function askToResume(
  { log, approvals }: { readonly log: Pick<ControlLog, 'latest'>; readonly approvals: Approvals },
  { id, target, by, reason, at }: Setting & { readonly id: string },
  operators: KeyRing,
): Promise<Approval> {
  permission(by, 'control.resume');
  const key = targetKey(target);
  const known = (await log.latest()).get(key);
  if (!known || !isInForce(known)) throw new CodedError('CONTROL_NOT_PAUSED', `${key} is not paused`);
  const resumption: Resumption = { target, version: known.version, paused: pauseDetail(known) };
  const content = canonicalJson(resumption);
  const act = actFor(target);
  const asked = { id, act, subject: key, content, hash: hashOfAct(act, key, content) };
  return askForApproval(approvals, { ...asked, summary: `resume ${key}`, by: by.name, reason, at }, operators);
}

/** Shows and does a resumption that was let through. Again is the same. */
export const resumeHandler = (log: ControlLog): ActHandler => ({
  describe: describeContent(({ target, version, paused }: Resumption) => [
    `resume ${targetKey(target)}, which stands since version ${version}`,
    paused,
  ]),
  execute: (approved) => resume(log, approved),
});

/** @throws CodedError CONTROL_MOVED when it was paused again, or resumed, since it was asked for */
async function resume(log: ControlLog, approved: ApprovedAct): Promise<string> {
  const { approvalId, subject, askedBy, approvedBy, approvedAt, reason } = approved;
  const { target, version } = JSON.parse(approved.content) as Resumption;
  const isOurs = (control: RuntimeControl | undefined) => control?.approvalId === approvalId && !isInForce(control);
  const before = (await log.latest()).get(subject);
  if (!isOurs(before)) {
    if (before?.version !== version || !isInForce(before)) throw moved(subject, before);
    const terms = { by: askedBy, approvedBy, approvalId, reason, at: approvedAt };
    await log.publish(setTo(target, 'RUNNING', before, terms));
    const after = (await log.latest()).get(subject);
    // Somebody paused it in between: that holds.
    if (!isOurs(after)) throw moved(subject, after);
  }
  return `${subject} goes on`;
}

const moved = (key: string, now: RuntimeControl | undefined) =>
  new CodedError(
    'CONTROL_MOVED',
    `${key} is not what was to be resumed: ${now ? pauseDetail(now) : 'it is not paused'}`,
  );

interface Terms {
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
  readonly approvedBy?: string;
  readonly approvalId?: string;
}

function setTo(
  { kind, name, partition }: ControlTarget,
  state: 'PAUSED' | 'RUNNING',
  known: RuntimeControl | undefined,
  { by, reason, at, approvedBy, approvalId }: Terms,
): RuntimeControl {
  return {
    ...{ kind, name, partition: partition ?? null, state, version: (known?.version ?? 0) + 1, glass: null },
    ...{ changedAt: at.getTime(), changedBy: by, reason: safeText(reason, 500) },
    ...{ approvedBy: approvedBy ?? null, approvalId: approvalId ?? null },
  };
}

/** What is set, the latest change first; without glass. `all`: also what was resumed. */
export async function listControls(
  log: Pick<ControlLog, 'recent'>,
  by: Principal,
  { all }: { readonly all: boolean },
): Promise<readonly (RuntimeControl & { readonly key: string; readonly inForce: boolean })[]> {
  permission(by, 'controls.read');
  return [...(await log.recent()).values()]
    .filter((control) => control.kind !== 'GLASS' && (all || isInForce(control)))
    .toSorted((a, b) => b.changedAt - a.changedAt)
    .map((control) => ({ ...control, key: controlKey(control), inForce: isInForce(control) }));
}
