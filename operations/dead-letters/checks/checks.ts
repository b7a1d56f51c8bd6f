// Checks of letters against the build that would send them, asked for over the API, whose process has no stages: the process of
// replays does them. Nothing is taken and nothing is sent by them.
import { personName } from '../../../domain/people/identities.ts';
import { CodedError, codeAndDetail, isOutage } from '../../../ports/fault.ts';
import type { DeadLetters, LetterFilter } from '../ports.ts';
import { type BuildRow, checkBuild } from '../replays/check-build.ts';
import type { ReplayLog } from '../replays/ports.ts';
import type { Trial } from '../replays/predict.ts';

/** `WANTED`: nobody has ended it yet. */
export const CHECK_STATES = ['WANTED', 'DONE', 'FAILED'] as const;

export interface LetterCheck {
  readonly _id: string;
  readonly state: (typeof CHECK_STATES)[number];
  readonly filter: LetterFilter;
  readonly askedBy: string;
  readonly askedAt: Date;
  /** Hash of the request, since a key says which question it is. */
  readonly request: string;
  readonly endedAt: Date | null;
  /** What it rests on: build, lists, rules; null: it has not ended. */
  readonly basis: Readonly<Record<string, string>> | null;
  readonly rows: readonly BuildRow[];
  /** Why it failed. */
  readonly detail: string | null;
}

/** Every method throws a coded error when the store cannot be asked. */
export interface LetterChecks {
  /** @returns false: the id is taken */
  insert(check: LetterCheck): Promise<boolean>;
  find(id: string): Promise<LetterCheck | undefined>;
  /** The one that has waited longest. */
  wanted(): Promise<LetterCheck | undefined>;
  /** Ends one that is wanted still. */
  end(id: string, to: Pick<LetterCheck, 'state' | 'endedAt' | 'basis' | 'rows' | 'detail'>): Promise<void>;
}

export interface AskedCheck extends Pick<LetterCheck, 'filter' | 'request'> {
  readonly id: string;
  readonly by: string;
  readonly at: Date;
}

/** Asks for a check, once under its id. @throws DomainError PERSON_INVALID */
export async function askForCheck(
  store: LetterChecks,
  { id, filter, request, by, at }: AskedCheck,
): Promise<LetterCheck> {
  const check: LetterCheck = {
    ...{ _id: id, state: 'WANTED', filter, askedBy: personName(by), askedAt: at, request },
    ...{ endedAt: null, basis: null, rows: [], detail: null },
  };
  return (await store.insert(check)) ? check : findCheck(store, id);
}

/** @throws CodedError CHECK_UNKNOWN */
export async function findCheck(store: Pick<LetterChecks, 'find'>, id: string): Promise<LetterCheck> {
  const found = await store.find(id);
  if (found) return found;
  throw new CodedError('CHECK_UNKNOWN', `there is no check ${id.slice(0, 100)}`);
}

export interface CheckSources {
  readonly checks: LetterChecks;
  readonly letters: DeadLetters;
  readonly log: Pick<ReplayLog, 'letters'>;
  readonly now: () => Date;
}

/** What stands in the way for so long is no outage that passes, ms: the check has failed, and whoever waits may ask anew. */
const GIVE_UP_AFTER_MS = 15 * 60_000;

/**
 * Does the check that has waited longest. Of two processes that do it, the first to end it is believed; died it in between, it
 * is done again.
 * @throws CodedError of a dependency: it is wanted still, for a quarter of an hour after it was asked for
 */
export async function runCheck(sources: CheckSources, trial: Trial): Promise<boolean> {
  const { checks, now } = sources;
  const wanted = await checks.wanted();
  if (!wanted) return false;
  const result = await checked(sources, trial, wanted);
  await checks.end(wanted._id, { ...result, endedAt: now() });
  return true;
}

async function checked(
  { letters, log, now }: CheckSources,
  trial: Trial,
  { filter, askedAt }: LetterCheck,
): Promise<Pick<LetterCheck, 'state' | 'basis' | 'rows' | 'detail'>> {
  let basis: LetterCheck['basis'] = null;
  try {
    basis = await trial.runner.basis();
    return { state: 'DONE', basis, rows: await checkBuild(letters, log, trial, filter), detail: null };
  } catch (error) {
    const isOver = now().getTime() - askedAt.getTime() >= GIVE_UP_AFTER_MS;
    if (trial.signal?.aborted || (isOutage(error) && !isOver)) throw error;
    const { code, detail } = codeAndDetail(error);
    return { state: 'FAILED', basis, rows: [], detail: `${code}: ${detail}` };
  }
}
