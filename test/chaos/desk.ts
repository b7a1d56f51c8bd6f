// The desk of a run: people who work over HTTP, each with a token of their own, while API and pipeline fall over around them.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import type { Role } from '../../operations/access/table.ts';
import { MAX_REPLAYS } from '../../operations/dead-letters/replays/check-letters.ts';
import type { Slot } from './slot.ts';

interface Person {
  readonly name: string;
  readonly roles: readonly Role[];
}
const ASHA: Person = { name: 'asha', roles: ['operator'] };
const BEN: Person = { name: 'ben', roles: ['approver'] };
/** Sees parties as they are, and decides what was held on their account. */
const CARLA: Person = { name: 'carla', roles: ['compliance'] };
const DORA: Person = { name: 'dora', roles: ['compliance', 'approver'] };

interface Asked {
  readonly body?: object;
  readonly etag?: string | undefined;
  readonly key?: string;
}
interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many routes
  readonly body: any;
}

const TOKEN_SECONDS = 600;
const LOOK_EVERY_MS = 500;
/** A request that has no answer is asked again; what it did is found out by asking. */
const ANSWER_WITHIN_MS = 20_000;
/** Only what hangs is given up, ms. */
const MAX_REPLAY_MS = 1_800_000;

/** The API gave no answer that says what is so. */
export class DeskClosed extends Error {}

export class Desk {
  casesDecided = 0;
  /** What the API should not have said or done. */
  readonly failures: string[] = [];
  readonly #slot: Slot;
  readonly #keyFile: string;

  /** @param keyFile of the issuer that the API believes */
  constructor(slot: Slot, keyFile: string) {
    this.#slot = slot;
    this.#keyFile = keyFile;
  }

  /**
   * Decides an open case as one person, and lets it through as another where two are needed. Whatever is refused was decided
   * meanwhile, altered, or is looked at again.
   * @throws DeskClosed when the API does not answer
   */
  async decide(caseId: string, verdict: 'APPROVE' | 'REJECT'): Promise<void> {
    const path = `/cases/${encodeURIComponent(caseId)}`;
    const { status, etag, body } = await this.#ask(CARLA, 'GET', path);
    if (status !== 200) return;
    const fitting: { verdict: string; reasons: string[] } | undefined = body.verdicts.find(
      (one: { verdict: string }) => one.verdict === verdict,
    );
    if (!fitting) return;
    const decision = { verdict, code: fitting.reasons[0], reason: 'Decided by the schedule of the run.' };
    const decided = await this.#ask(CARLA, 'POST', `${path}/decide`, { body: decision, etag });
    if (decided.status === 202) await this.#letThrough(DORA, decided.body.approvalId);
    if (decided.status === 200 || decided.status === 202) this.casesDecided++;
  }

  /**
   * Has the letters of this transfer at this owner replayed until one of them comes to its end: selected, tried by the
   * server, asked for by one person and let through by another. @returns how many replays it took
   */
  async replay(owner: string, transferId: string): Promise<number> {
    const deadline = performance.now() + MAX_REPLAY_MS;
    for (let replays = 1; replays <= MAX_REPLAYS; replays++) {
      const outcome = await this.#replayOnce({ owner, transferId, deadline });
      if (outcome === 'COMPLETED') return replays;
    }
    this.failures.push(`${transferId} did not come to its end by ${MAX_REPLAYS} replays`);
    return MAX_REPLAYS;
  }

  async #replayOnce(what: {
    readonly owner: string;
    readonly transferId: string;
    readonly deadline: number;
  }): Promise<string | undefined> {
    const { owner, transferId, deadline } = what;
    const select = { owner, transferId };
    const body = { select, reason: 'Its schema is there now.', canary: 1 };
    let key = `desk-${randomUUID()}`;
    const until = <T>(look: () => Promise<T | undefined>) => this.#until(look, deadline);
    // The same key as long as there is no answer: nothing is selected twice.
    const id = await until(async () => {
      const made = await this.#ask(ASHA, 'POST', '/replays', { body, key });
      if (made.status === 201) return made.body.replayId as string;
      // The letter is not in the index yet, or taken.
      key = `desk-${randomUUID()}`;
      return undefined;
    });
    const found = () => this.#ask(ASHA, 'GET', `/replays/${id}`);
    await until(async () => {
      const { replay } = (await found()).body;
      if (replay?.endedAt) throw new Error(`a replay over HTTP ended before it was tried: ${replay.halted?.code}`);
      return replay?.expected ? true : undefined;
    });
    const approvalId = await until(async () => {
      const { etag, body } = await found();
      if (body.replay?.approvalId) return body.replay.approvalId as string;
      const asked = await this.#ask(ASHA, 'POST', `/replays/${id}/ask`, { etag });
      return asked.status === 201 ? (asked.body.approvalId as string) : undefined;
    });
    const ended = await until(async () => {
      await this.#letThrough(BEN, approvalId);
      const answer = await found();
      return ['ENDED', 'STOPPED', 'CANCELLED'].includes(answer.body.replay?.state) ? answer : undefined;
    });
    if (ended.body.replay.state === 'STOPPED') {
      await until(async () => {
        const { etag, body } = await found();
        if (body.replay?.state === 'CANCELLED') return true;
        return (await this.#ask(ASHA, 'POST', `/replays/${id}/cancel`, { etag })).status === 200 ? true : undefined;
      });
    }
    // New failures of its group stop it, also where they are of others: what was sent by then comes to its end all the same.
    return until(async () => {
      const [letter] = (await found()).body.counts ?? [];
      if (letter === undefined || letter.state === 'SELECTED') return undefined;
      return ['SKIPPED', 'RELEASED'].includes(letter.state) ? letter.state : (letter.outcome ?? undefined);
    });
  }

  /** As long as it waits. */
  async #letThrough(who: Person, approvalId: string): Promise<void> {
    const path = `/approvals/${encodeURIComponent(approvalId)}`;
    const { etag, body } = await this.#ask(who, 'GET', path);
    if (body.state !== 'WAITING') return;
    await this.#ask(who, 'POST', `${path}/approve`, { body: { reason: 'Looked at.' }, etag });
  }

  async #until<T>(look: () => Promise<T | undefined>, deadline: number): Promise<T> {
    while (performance.now() < deadline) {
      const found = await look().catch((error: unknown) => {
        if (error instanceof DeskClosed) return undefined;
        throw error;
      });
      if (found !== undefined) return found;
      await sleep(LOOK_EVERY_MS);
    }
    throw new Error('a replay over HTTP hangs');
  }

  async #ask({ name, roles }: Person, method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const { body, etag, key } = asked;
    const { url } = this.#slot;
    if (url === undefined) throw new DeskClosed('the API is not ready');
    const token = await (await localIssuer(this.#keyFile, { CORRIDOR_ENV: 'test' })).token(name, roles, TOKEN_SECONDS);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(etag === undefined ? {} : { 'if-match': etag }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    const sent = { method, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
    const [status, found, text] = await fetch(`${url}/v1${path}`, body ? { ...sent, body: JSON.stringify(body) } : sent)
      .then(async (response) => [response.status, response.headers.get('etag'), await response.text()] as const)
      .catch((error: unknown) => {
        throw new DeskClosed(String(error));
      });
    // A dependency that is away is said so; any other trouble of its own is a fault of the API.
    if (status === 500) this.failures.push(`${method} ${path}: ${text.slice(0, 200)}`);
    if (status >= 500) throw new DeskClosed(`${status}`);
    return { status, etag: found ?? undefined, body: text === '' ? {} : JSON.parse(text) };
  }
}
