// The operator of a run: decides held transfers, as a person would, while everything falls over around.
import { setTimeout as sleep } from 'node:timers/promises';
import { type CaseStore, caseStore } from '../../adapters/mongo/cases.ts';
import type { Connections } from '../../cli/connect.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { sealedDecision } from '../../sinks/cases/decision.ts';
import { decisionOf } from './feed.ts';

const LOOK_EVERY_MS = 1_000;
const PAGE = 10_000;

export class Operator {
  decided = 0;
  readonly #connections: Connections;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(connections: Connections) {
    this.#connections = connections;
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
        const store = caseStore(await this.#connections.db());
        for (const open of await store.list({ state: 'OPEN', limit: PAGE })) await this.#decide(store, open);
      } catch {
        // MongoDB is away, or somebody decided meanwhile: looked at again.
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #decide(store: CaseStore, { _id, transferId, evidenceHash }: CaseDocument): Promise<void> {
    const decision = decisionOf(transferId);
    if (decision === 'LEAVE') return;
    const decided = {
      decision,
      decidedBy: 'chaos-operator',
      decidedAt: new Date(),
      justification: 'Decided by the schedule of the run.',
    };
    const { operators } = this.#connections.config.keys;
    await store.decide(_id, evidenceHash, sealedDecision(operators, { holdId: _id, evidenceHash }, decided));
    this.decided++;
  }
}
