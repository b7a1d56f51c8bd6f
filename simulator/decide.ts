/**
 * The provider's state machine, pure: a payout, a command and a moment in; ledger records and an answer out.
 *
 * Two rules hold on every path: no run executes at or after its `expiresAt`, and none once its key is closed by a
 * confirmed cancel or a refusal. `decide.property.test.ts` searches for a path that breaks them.
 */
import type { ErrorCode, PayoutState } from './api.ts';
import { evolve, hasExecuted, type Payout, type Run, stateOf } from './payout.ts';
import type { AppliedFault, RecordBody, RecordedMoney, RefusalRecord } from './records.ts';
import type { Scenario } from './scenarios.ts';

/** ISO 20022 reasons for what came too late: received after the cut-off, and settlement aborted by time-out. */
const RECEIVED_TOO_LATE = 'TM01';
const SETTLEMENT_TIMED_OUT = 'AB03';

/** What a submit asks for, after validation. Times in milliseconds since the epoch. */
export interface Instruction {
  readonly transferId: string;
  readonly endToEndId: string;
  readonly rail: string;
  readonly amount: RecordedMoney;
  readonly expiresAt: number;
  /** Whom it is for, see `payoutView`. */
  readonly beneficiaryDigest?: string;
  /** Who pays and why, see `payoutView`; absent: the client did not say. */
  readonly payerDigest?: string;
  /** Equal for equal requests. */
  readonly hash: string;
  readonly scenario: Scenario;
}

export type Command =
  | {
      readonly type: 'submit';
      readonly instruction: Instruction;
      /** How long queries don't see it, in milliseconds. */
      readonly lagMs?: number;
      readonly fault?: AppliedFault;
    }
  /** A submit that breaks the contract. */
  | { readonly type: 'submit-invalid'; readonly transferId: string | null; readonly fault?: AppliedFault }
  /** A submit that a fault ended before it was processed. */
  | {
      readonly type: 'submit-dropped';
      readonly transferId: string | null;
      readonly amount: RecordedMoney | null;
      readonly fault: AppliedFault;
    }
  | { readonly type: 'query' }
  | { readonly type: 'cancel'; readonly fault?: AppliedFault }
  /** A fault ended a query or a cancel before it was processed, or only touched how it was answered. */
  | { readonly type: 'fault'; readonly on: 'query' | 'cancel'; readonly fault: AppliedFault }
  /** Time has passed. */
  | { readonly type: 'tick' };

export interface Terms {
  /** Milliseconds since the epoch; the caller never lets it fall. */
  readonly now: number;
  /** Off: each accepted submit of a key executes. */
  readonly duplicateProtection: boolean;
  /** From acceptance to settlement, in milliseconds; 0 settles in the answer to the submit. */
  readonly delayMs: number;
  /** From payment to its return, in milliseconds. */
  readonly returnDelayMs: number;
}

export type Answer =
  | { readonly type: 'payout'; readonly payout: Payout; readonly replayed: boolean }
  | {
      readonly type: 'error';
      readonly code: ErrorCode;
      readonly message: string;
      readonly definitive: boolean;
      readonly reasonCode?: string;
      readonly state?: PayoutState;
    }
  | { readonly type: 'none' };

export interface Decision {
  readonly records: readonly RecordBody[];
  /** The payout after the records; undefined while nothing is known under the key. */
  readonly payout: Payout | undefined;
  readonly answer: Answer;
}

/** What the provider does about `command` for the key `key`. Never throws. */
export function decide(payout: Payout | undefined, key: string, command: Command, terms: Terms): Decision {
  const steps = new Steps(payout, key, terms);
  // Whoever asks sees the state as of now, however late the timer is.
  steps.settleWhatIsDue();
  const answer = answerTo(steps, command);
  return { records: steps.records, payout: steps.payout, answer };
}

function answerTo(steps: Steps, command: Command): Answer {
  switch (command.type) {
    case 'submit':
      return submit(steps, command.instruction, command.lagMs ?? 0, command.fault);
    case 'submit-invalid':
      return submitInvalid(steps, command.transferId, command.fault);
    case 'submit-dropped': {
      const { transferId, amount, fault } = command;
      steps.emit({ ...steps.common(transferId), kind: 'submit', outcome: 'dropped', amount, fault });
      return { type: 'none' };
    }
    case 'query':
      return query(steps);
    case 'cancel':
      return cancel(steps, command.fault);
    case 'fault':
      steps.emit({ ...steps.common(), kind: 'fault', on: command.on, fault: command.fault });
      return { type: 'none' };
    case 'tick':
      return { type: 'none' };
  }
}

function submit(steps: Steps, instruction: Instruction, lagMs: number, fault: AppliedFault | undefined): Answer {
  const { now, duplicateProtection, delayMs } = steps.terms;
  const { payout } = steps;
  const { transferId, amount, scenario } = instruction;
  const received = { ...steps.common(transferId), kind: 'submit', amount, ...(fault && { fault }) } as const;

  const first = payout?.runs[0];
  if (payout && first && duplicateProtection && payout.closed?.state !== 'CANCELLED') {
    const same = first.hash === instruction.hash;
    steps.emit({ ...received, outcome: same ? 'repeated' : 'mismatch' });
    if (same) return { type: 'payout', payout, replayed: true };
    const message = 'this Idempotency-Key was used with another body, which stands; use a new key for a new payout';
    return { type: 'error', code: 'IDEMPOTENCY_MISMATCH', message, definitive: false, state: stateOf(payout) };
  }

  const refuse = (code: RefusalRecord['code'], reasonCode: string | null): Answer => {
    steps.emit({ ...received, outcome: 'refused' });
    steps.emit({
      ...steps.common(transferId),
      kind: 'refusal',
      code,
      ...(reasonCode !== null && { reasonCode }),
      closes: true,
    });
    return refusal(steps, code, reasonCode);
  };
  if (payout?.closed) return refuse(payout.closed.code, payout.closed.reasonCode);
  if (now >= Math.min(instruction.expiresAt, first?.expiresAt ?? instruction.expiresAt))
    return refuse('EXPIRED', RECEIVED_TOO_LATE);
  if (scenario.outcome === 'REFUSE') return refuse('DECLINED', scenario.reasonCode ?? 'MS03');

  const wait = scenario.atOnce ? 0 : delayMs;
  const settledByTime = scenario.polls === undefined && scenario.outcome !== 'STALL';
  const { endToEndId, rail, hash, expiresAt, beneficiaryDigest, payerDigest } = instruction;
  steps.emit({
    ...received,
    outcome: 'accepted',
    run: {
      number: (payout?.runs.length ?? 0) + 1,
      endToEndId,
      rail,
      hash,
      ...(beneficiaryDigest !== undefined && { beneficiaryDigest }),
      ...(payerDigest !== undefined && { payerDigest }),
      expiresAt,
      visibleAt: now + lagMs,
      dueAt: settledByTime ? now + wait : null,
      scenario,
    },
  });
  steps.settleWhatIsDue();
  return { type: 'payout', payout: steps.known(), replayed: false };
}

/** A key that was received with a body that breaks the contract is closed, unless a payout already lives under it. */
function submitInvalid(steps: Steps, transferId: string | null, fault: AppliedFault | undefined): Answer {
  const closes = !steps.payout || steps.payout.runs.length === 0;
  steps.emit({
    ...steps.common(transferId),
    kind: 'submit',
    outcome: 'refused',
    amount: null,
    ...(fault && { fault }),
  });
  steps.emit({ ...steps.common(transferId), kind: 'refusal', code: 'INVALID_REQUEST', closes });
  return refusal(steps, 'INVALID_REQUEST', null);
}

function query(steps: Steps): Answer {
  const { now } = steps.terms;
  const { payout } = steps;
  const run = payout?.runs.at(-1);
  if (!payout || (run && run.visibleAt > now)) {
    const message = 'nothing is visible under this key now; that alone is no proof that it will not execute';
    return { type: 'error', code: 'NOT_FOUND', message, definitive: false };
  }
  if (run?.state === 'ACCEPTED' && run.scenario.polls !== undefined) {
    steps.emit({ ...steps.common(run.transferId), kind: 'poll', run: run.number });
    if (run.polls + 1 >= run.scenario.polls) steps.settle(run);
  }
  return { type: 'payout', payout: steps.known(), replayed: false };
}

function cancel(steps: Steps, fault: AppliedFault | undefined): Answer {
  const { payout } = steps;
  const record = { ...steps.common(), kind: 'cancel', ...(fault && { fault }) } as const;
  if (payout?.runs.some(hasExecuted)) {
    steps.emit({ ...record, outcome: 'refused' });
    const message = 'the payout was executed before the cancel arrived; query it for its state';
    return { type: 'error', code: 'ALREADY_EXECUTED', message, definitive: false, state: stateOf(payout) };
  }
  steps.emit({ ...record, outcome: 'cancelled' });
  return { type: 'payout', payout: steps.known(), replayed: false };
}

function refusal(steps: Steps, code: RefusalRecord['code'], reasonCode: string | null): Answer {
  const payout = steps.payout;
  const alive = payout?.runs.some((run) => run.state === 'ACCEPTED' || hasExecuted(run)) ?? false;
  return {
    type: 'error',
    code,
    message: REFUSAL_MESSAGES[code],
    definitive: !alive,
    ...(reasonCode !== null && { reasonCode }),
    ...(payout && { state: stateOf(payout) }),
  };
}

const REFUSAL_MESSAGES: Readonly<Record<RefusalRecord['code'], string>> = {
  INVALID_REQUEST: 'the request breaks the contract; correct it and submit it under a new key',
  EXPIRED: 'the submit arrived at or after its expiresAt; submit with a new key and a later expiresAt',
  DECLINED: 'the payout was declined, see reasonCode',
  CANCELLED: 'this key was cancelled; use a new key',
};

/** The records of one decision, and the payout as it stands after each of them. */
class Steps {
  readonly records: RecordBody[] = [];
  readonly terms: Terms;
  readonly #key: string;
  #payout: Payout | undefined;

  constructor(payout: Payout | undefined, key: string, terms: Terms) {
    this.#payout = payout;
    this.#key = key;
    this.terms = terms;
  }

  get payout(): Payout | undefined {
    return this.#payout;
  }

  /** The payout, where a record before has brought it into being. */
  known(): Payout {
    return this.#payout ?? { key: this.#key, runs: [], closed: null };
  }

  common(transferId: string | null = this.#payout?.runs.at(-1)?.transferId ?? null) {
    return { at: this.terms.now, key: this.#key, transferId };
  }

  emit(record: RecordBody): void {
    this.records.push(record);
    this.#payout = evolve(this.#payout, record);
  }

  settleWhatIsDue(): void {
    const { now } = this.terms;
    for (const run of this.#payout?.runs ?? []) {
      if (run.state === 'ACCEPTED' && ((run.dueAt !== null && run.dueAt <= now) || run.expiresAt <= now))
        this.settle(run);
    }
    for (const run of this.#payout?.runs ?? []) {
      if (run.state !== 'PAID' || run.returnAt === null || run.returnAt > now) continue;
      const reasonCode = run.scenario.reasonCode ?? 'MS03';
      this.emit({ ...this.common(run.transferId), kind: 'return', run: run.number, amount: run.amount, reasonCode });
    }
  }

  /** Ends an accepted run as its data says; but nothing is paid at or after its expiry. */
  settle(run: Run): void {
    const { now, returnDelayMs } = this.terms;
    const common = this.common(run.transferId);
    const { outcome, reasonCode } = run.scenario;
    const isDue = run.scenario.polls !== undefined || (run.dueAt !== null && run.dueAt <= now);
    if (outcome === 'FAIL' && isDue) {
      this.emit({ ...common, kind: 'failure', run: run.number, reasonCode: reasonCode ?? 'MS03' });
      return;
    }
    if (now >= run.expiresAt) {
      this.emit({ ...common, kind: 'expiry', run: run.number, reasonCode: SETTLEMENT_TIMED_OUT });
      return;
    }
    const returnAt = outcome === 'RETURN' ? now + returnDelayMs : null;
    this.emit({ ...common, kind: 'execution', run: run.number, amount: run.amount, returnAt });
  }
}
