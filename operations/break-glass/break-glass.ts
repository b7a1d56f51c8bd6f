// Breaking the glass: for some minutes one named person may let through what they asked for themselves. It stands in the log
// before anything can be done under it, every process tells it until another person has reviewed it, and what was done under
// it names it.
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { BrokenGlass, RuntimeControl } from '../../schemas/types.generated.ts';
import { isInForce, targetKey } from '../../topics/control-key.ts';
import { type Principal, permission } from '../access/principal.ts';
import type { Approval } from '../approvals/approval.ts';
import { reasonOf } from '../approvals/approvals.ts';
import type { Approvals, OpenGlass } from '../approvals/ports.ts';
import type { ControlLog } from '../control/ports.ts';
import { checkSecondPerson, isSamePerson } from '../four-eyes/second-person.ts';

export const MAX_GLASS_MINUTES = 60;
export const DEFAULT_GLASS_MINUTES = 15;
/** Acts under one glass that are shown to who reviews it. */
const MAX_ACTS = 1_000;

export interface Glass {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly brokenAt: Date;
  /** Nothing is let through under it from then on. */
  readonly until: Date;
  readonly review: { readonly by: string; readonly at: Date; readonly text: string } | null;
}

const glassKey = (id: string) => targetKey({ kind: 'GLASS', name: id });

function glassOf(control: RuntimeControl): Glass {
  const { name: id, glass, changedBy, changedAt, reason } = control;
  // Of a program that knows none: its owner may do nothing under it, and it has to be reviewed all the same.
  const of = glass ?? { owner: changedBy, reason, brokenAt: changedAt, until: changedAt };
  const review = isInForce(control) ? null : { by: changedBy, at: new Date(changedAt), text: reason };
  return { id, by: of.owner, reason: of.reason, brokenAt: new Date(of.brokenAt), until: new Date(of.until), review };
}

/** The log in which glass stands, and the clock by which it begins and ends: that of approvals, whatever the process has. */
export interface GlassDesk<L = ControlLog> {
  readonly log: L;
  readonly clock: Approvals['clock'];
}

/**
 * Breaks the glass for oneself.
 * @param asked `id`: unique; the same again is the same glass. `at`: what the caller's clock says
 * @throws CodedError ACTION_FORBIDDEN, REASON_MISSING, GLASS_TERMS_INVALID
 */
export async function breakGlass(
  { log, clock }: GlassDesk,
  { id, by, reason, minutes, at: own }: { id: string; by: Principal; reason: string; minutes: number; at: Date },
): Promise<Glass> {
  permission(by, 'glass.break');
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_GLASS_MINUTES) {
    throw new CodedError('GLASS_TERMS_INVALID', `a glass is broken for 1 to ${MAX_GLASS_MINUTES} whole minutes`);
  }
  const why = reasonOf(reason);
  const at = await clock(own);
  const brokenAt = at.getTime();
  const glass = { owner: by.name, reason: why, brokenAt, until: brokenAt + minutes * 60_000 };
  const control = glassRecord(id, 'BROKEN', glass, { by: by.name, reason: why, at });
  const known = (await log.latest()).get(glassKey(id));
  if (known) throw new CodedError('GLASS_TERMS_INVALID', `there is a glass ${safeText(id, 64)} already`);
  await log.publish(control);
  return glassOf(control);
}

/**
 * The glass of this person, as long as something may be let through under it.
 * @throws CodedError GLASS_UNKNOWN, GLASS_OVER
 */
export async function glassInForce(
  { log, clock }: GlassDesk<Pick<ControlLog, 'latest'>>,
  { id, by, at: own }: { readonly id: string; readonly by: Principal; readonly at: Date },
): Promise<OpenGlass> {
  const { by: owner, until, review } = await findGlass(log, id);
  const at = await clock(own);
  if (review === null && isSamePerson(owner, by.name) && at.getTime() < until.getTime())
    return { id, by: owner, until };
  throw new CodedError('GLASS_OVER', `the glass ${safeText(id, 64)} is of ${owner}, until ${until.toISOString()}`);
}

/**
 * Closes it: another person has looked at what was done under it. Before its time is over, it also ends it.
 * @throws CodedError ACTION_FORBIDDEN, REASON_MISSING, GLASS_UNKNOWN, GLASS_OVER when it was reviewed, SECOND_PERSON_NEEDED
 */
export async function reviewGlass(
  { log, clock }: GlassDesk,
  { id, by, text, at: own }: { readonly id: string; readonly by: Principal; readonly text: string; readonly at: Date },
): Promise<Glass> {
  permission(by, 'glass.review');
  const said = reasonOf(text);
  const glass = await findGlass(log, id);
  if (glass.review) throw new CodedError('GLASS_OVER', `${glass.review.by} has reviewed it already`);
  checkSecondPerson(glass.by, by.name, `${glass.by} broke the glass ${id}: another person must review it`);
  const { by: owner, reason, brokenAt, until } = glass;
  const kept = { owner, reason, brokenAt: brokenAt.getTime(), until: until.getTime() };
  const at = await clock(own);
  const control = glassRecord(id, 'REVIEWED', kept, { by: by.name, reason: said, at });
  await log.publish(control);
  return glassOf(control);
}

/** Every glass that was broken, those that nobody has reviewed first, then the latest first. */
export async function listGlass(log: Pick<ControlLog, 'recent'>, by: Principal): Promise<readonly Glass[]> {
  permission(by, 'controls.read');
  return [...(await log.recent()).values()]
    .filter(({ kind }) => kind === 'GLASS')
    .toSorted((a, b) => Number(isInForce(b)) - Number(isInForce(a)) || b.changedAt - a.changedAt)
    .map(glassOf);
}

/** What was let through under a glass: what who reviews it has to look at. */
export const actsUnder = (approvals: Pick<Approvals, 'underGlass'>, id: string): Promise<readonly Approval[]> =>
  approvals.underGlass(id, MAX_ACTS);

/** @throws CodedError GLASS_UNKNOWN */
export async function findGlass(log: Pick<ControlLog, 'latest'>, id: string): Promise<Glass> {
  const found = (await log.latest()).get(glassKey(id));
  if (found) return glassOf(found);
  throw new CodedError('GLASS_UNKNOWN', `there is no broken glass ${safeText(id, 64)}`);
}

const VERSIONS = { BROKEN: 1, REVIEWED: 2 } as const;

function glassRecord(
  name: string,
  state: keyof typeof VERSIONS,
  glass: BrokenGlass,
  { by, reason, at }: { readonly by: string; readonly reason: string; readonly at: Date },
): RuntimeControl {
  return {
    ...{ kind: 'GLASS', name, partition: null, state, version: VERSIONS[state], glass },
    ...{ changedAt: at.getTime(), changedBy: by, approvedBy: null, approvalId: null, reason },
  };
}
