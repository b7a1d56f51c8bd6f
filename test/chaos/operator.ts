// The operator of a run: decides held transfers, as a person would, while everything falls over around.
import { setTimeout as sleep } from 'node:timers/promises';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { decideCase } from '../../operations/cases/holds/cases.ts';
import type { Connections } from '../../services/connections.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { decisionOf } from './feed.ts';
import { type CaseTools, GuardGone, isTampering, tamper } from './members/tampered-cases.ts';

const LOOK_EVERY_MS = 1_000;
const PAGE = 10_000;

/** How a case is decided. */
export type Deciding = (open: CaseDocument, decision: 'APPROVE' | 'REJECT') => Promise<void>;

const onTheStores =
  (connections: Connections): Deciding =>
  async ({ _id: holdId, evidenceHash }, decision) => {
    const reason = 'Decided by the schedule of the run.';
    const verdict = {
      holdId,
      evidenceHash,
      decision,
      by: 'chaos-operator',
      agreedBy: 'chaos-approver',
      reason,
      at: new Date(),
    };
    await decideCase(caseStore(await connections.db()), verdict, connections.config.keys.operators);
  };

export class Operator {
  decided = 0;
  /** Transfers whose case somebody tampered with. */
  readonly tampered = new Set<string>();
  /** Guards that gave way. */
  readonly failures: string[] = [];
  readonly #connections: Connections;
  readonly #decideAs: Deciding;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(connections: Connections, decideAs: Deciding = onTheStores(connections)) {
    this.#connections = connections;
    this.#decideAs = decideAs;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const db = await this.#connections.db();
        const store = caseStore(db);
        for (const open of await store.list({ state: 'OPEN', limit: PAGE })) await this.#decide({ db, store }, open);
      } catch (error) {
        // Otherwise MongoDB is away, or somebody decided meanwhile: looked at again.
        if (error instanceof GuardGone) this.failures.push(error.message);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #decide({ db, store }: Pick<CaseTools, 'db' | 'store'>, open: CaseDocument): Promise<void> {
    const { transferId } = open;
    const decision = decisionOf(transferId);
    if (decision === 'LEAVE') return;
    const { operators } = this.#connections.config.keys;
    if (isTampering(decision)) {
      this.tampered.add(transferId);
      return tamper({ db, store, operators }, decision, open);
    }
    await this.#decideAs(open, decision);
    this.decided++;
  }
}
