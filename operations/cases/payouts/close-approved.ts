// Cases of payouts that two persons let be closed, done where the key of the executor is. Killed at any point it is done again:
// the closing is a compare-and-set that knows itself, and the payout goes on from there as from any write.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { type BackoffLimits, doubledMs } from '../../../ports/backoff.ts';
import type { ErrorCode } from '../../../ports/error-codes.ts';
import { codeAndDetail, isCoded } from '../../../ports/fault.ts';
import { type Act, termsOfAct } from '../../approvals/acts.ts';
import { allToDo } from '../../approvals/all-to-do.ts';
import type { Approval } from '../../approvals/approval.ts';
import { type ActHandlers, executeApproval, isOfTheAct } from '../../approvals/execute.ts';
import type { Approvals } from '../../approvals/ports.ts';
import type { Audit } from '../../audit/audit.ts';
import type { Act as AuditedAct } from '../../audit/entry.ts';
import type { ApprovalsBySubject } from '../../skips/ports.ts';
import { payoutCaseIn } from '../inbox/briefs.ts';

export interface ClosingComponents {
  readonly store: Approvals & Pick<ApprovalsBySubject, 'toDo'>;
  /** Those that write payouts. */
  readonly handlers: ActHandlers;
  readonly operators: KeyRing;
  readonly audit: Audit;
  readonly now: () => Date;
  /** Told of what was not done, or not yet. */
  readonly onFault: (approvalId: string, fault: ReturnType<typeof codeAndDetail>) => void;
}

/** Acts that the executor does. */
const ACTS_OF_EXECUTOR = ['payouts.resolve', 'payouts.state'] as const satisfies readonly Act[];
/** Payouts that are worked on at once. */
const AT_ONCE = 8;
/** Between two tries of one that failed. */
const RETRY: BackoffLimits = { firstMs: 5_000, maxMs: 300_000 };
/** Between two tries to write the entries before, while the audit log is away: nothing new is begun meanwhile. */
const AUDIT_RETRY: BackoffLimits = { firstMs: 1_000, maxMs: 60_000 };
/** So often what nobody expected is met, over some 25 minutes: a try more will not mend it. */
const MAX_UNEXPECTED = 10;

/** What this process has met with one approval. */
interface Tried {
  /** Of the audit entry that says that it is being done. */
  readonly entryId: string;
  readonly failures: number;
  readonly unexpected: number;
  /** Last one that was told. */
  readonly code: ErrorCode | undefined;
  /** Not tried again before, ms since 1970. */
  readonly dueAt: number;
}

/** Does all that was let through and is not done yet, look by look. */
export class ApprovedClosings {
  readonly #components: ClosingComponents;
  readonly #tried = new Map<string, Tried>();
  /** Of the entries before, and when they are tried again, ms since 1970. */
  #auditAway = { failures: 0, dueAt: 0 };

  constructor(components: ClosingComponents) {
    this.#components = components;
  }

  /**
   * Each has an entry of the audit log before it takes effect, and one after; while it fails over and over, one more for each
   * other code. What failed waits longer each time; none waits for another.
   * @returns whether something is left, because a dependency is away or it has met what nobody expected
   * @throws CodedError when the approvals cannot be read
   */
  async look(): Promise<boolean> {
    const { store } = this.#components;
    const now = this.#components.now().getTime();
    const waiting = [...this.#tried].filter(([, { dueAt }]) => dueAt > now).map(([id]) => id);
    const due = new Set([...this.#tried.keys()].filter((id) => !waiting.includes(id)));
    for (const act of ACTS_OF_EXECUTOR) {
      for await (const page of allToDo(store, act, waiting)) {
        for (const { _id } of page) due.delete(_id);
        await this.#closeAll(page);
      }
    }
    // What is to be tried again and is not there any more was ended elsewhere.
    for (const id of due) this.#tried.delete(id);
    return this.#tried.size > 0 || this.#auditAway.failures > 0;
  }

  /** Those of one payout one after the other. */
  async #closeAll(approvals: readonly Approval[]): Promise<void> {
    const begun = await this.#record(approvals);
    const byPayout = [...Map.groupBy(begun, ({ subject }) => payoutCaseIn(subject)?.payoutId ?? subject).values()];
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (let own = byPayout.shift(); own; own = byPayout.shift())
        for (const approval of own) await this.#close(approval);
    });
    await Promise.all(workers);
  }

  /** The entries before, of all that have none of this process, in one write. @returns those that may be done */
  async #record(approvals: readonly Approval[]): Promise<readonly Approval[]> {
    const fresh = approvals.filter(({ _id }) => !this.#tried.has(_id));
    if (fresh.length === 0) return approvals;
    const begun = () => approvals.filter(({ _id }) => this.#tried.has(_id));
    const now = this.#components.now().getTime();
    if (now < this.#auditAway.dueAt) return begun();
    try {
      const ids = await this.#components.audit.record(
        fresh.map((approval) => ({ ...entryOf(approval), outcome: 'ALLOWED' })),
      );
      const none = { failures: 0, unexpected: 0, code: undefined, dueAt: 0 };
      for (const [index, { _id }] of fresh.entries()) this.#tried.set(_id, { ...none, entryId: ids[index]! });
      this.#auditAway = { failures: 0, dueAt: 0 };
      return approvals;
    } catch (error) {
      const failures = this.#auditAway.failures + 1;
      this.#auditAway = { failures, dueAt: now + doubledMs(failures, AUDIT_RETRY) };
      for (const { _id } of fresh) this.#components.onFault(_id, codeAndDetail(error));
      return begun();
    }
  }

  async #close(approval: Approval): Promise<void> {
    const { store, handlers, operators, audit, now } = this.#components;
    const { _id } = approval;
    const { entryId: partOf } = this.#tried.get(_id)!;
    try {
      await executeApproval(store, _id, { handlers, operators, at: now() });
      const { on } = entryOf(approval);
      audit.note([{ ...entryOf(approval), on: { ...on, isKnown: true }, outcome: 'DONE', partOf }]);
      this.#tried.delete(_id);
    } catch (error) {
      await this.#failed(approval, error);
    }
  }

  /** Whatever one of them holds, the others behind it are done. */
  async #failed(approval: Approval, error: unknown): Promise<void> {
    const { store, audit, now, onFault } = this.#components;
    const { _id } = approval;
    const tried = this.#tried.get(_id)!;
    const { code, detail } = codeAndDetail(error);
    const unexpected = tried.unexpected + (isCoded(error) ? 0 : 1);
    const isOver = isOfTheAct(error) || unexpected >= MAX_UNEXPECTED;
    onFault(_id, { code, detail });
    if (isOver || tried.code !== code) {
      audit.note([{ ...entryOf(approval), outcome: 'FAILED', reasonCode: code, partOf: tried.entryId }]);
    }
    const failures = tried.failures + 1;
    this.#tried.set(_id, { ...tried, failures, unexpected, code, dueAt: now().getTime() + doubledMs(failures, RETRY) });
    if (!isOver) return;
    try {
      if (!isOfTheAct(error))
        await store.end(_id, ['APPROVED'], 'FAILED', { at: now(), code, detail: overDetail(_id, detail) });
      this.#tried.delete(_id);
    } catch (storeError) {
      // The next try comes here again.
      onFault(_id, codeAndDetail(storeError));
    }
  }
}

const overDetail = (id: string, detail: string): string =>
  `${id} met what nobody expected ${MAX_UNEXPECTED} times, and may have taken effect: look at its case, report this, then ask anew. ${detail}`;

const entryOf = ({ act, subject, hash }: Approval): Omit<AuditedAct, 'outcome'> => ({
  who: { subject: 'payout-executor', roles: [], credential: 'SYSTEM' },
  action: termsOfAct(act).right,
  on: { kind: 'cases', id: subject },
  decidedOn: hash,
});
