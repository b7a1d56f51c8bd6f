// People who work over HTTP beside a pipeline: an API for operators as an installation runs it, their tokens, their requests and
// their commands, and a build that is rolled out with a bug so that dead letters stand.
import path from 'node:path';
import { expect, vi } from 'vitest';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import type { Role } from '../../operations/access/table.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { brokenBuild } from './broken-build.ts';
import { type CommandEnd, runCorridor } from './corridor-command.ts';
import type { TestPipeline } from './pipeline.ts';

export interface Person {
  readonly name: string;
  readonly roles: readonly Role[];
}
export const ASHA: Person = { name: 'asha', roles: ['operator'] };
export const BEN: Person = { name: 'ben', roles: ['approver'] };
export const CARLA: Person = { name: 'carla', roles: ['approver'] };

export interface HttpAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many routes
  readonly body: any;
}
export interface HttpRequest {
  readonly body?: object;
  readonly etag?: string | undefined;
  readonly key?: string;
  readonly method?: string;
  /** Of another process of the API. */
  readonly at?: Child;
}

export interface Group {
  readonly groupId: string;
  readonly letters: number;
  readonly money: readonly { readonly amount: { readonly minor: string } }[];
  readonly corridors: readonly string[];
}

/** A state is waited for; this ends a run in which it never comes. */
export const WAIT = { timeout: 900_000, interval: 200 };
/** Transfers that nothing is wrong with. */
export const ALL_GOOD = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
/** The corridor on which the build breaks. */
export const BROKEN = CORRIDORS[0]!;
export const PRICING = [['--processors', 'fx-pricing']];
export const OTHERS = [
  ['--processors', 'intake,screening,limits,payout-dispatch,settlement', '--sinks', 'all', '--payouts', '--cases'],
];
export const RUNNER = [['--replays']];
const READY_MS = 600_000;
const TOKEN_LIFE_S = 6 * 3_600;

export class OnCall {
  /**
   * All that the API answered and that commands printed, for what must not be in it; but for what compliance was shown, who see
   * parties as they are, and for secrets that are shown once.
   */
  readonly answers: string[] = [];
  readonly #pipeline: TestPipeline;
  readonly #folder: string;
  readonly #apis: Child[] = [];
  /** The environment of a build that fails on one corridor. */
  readonly broken = brokenBuild(BROKEN.id);
  #keys = 0;
  #started = 0;

  /** @param folder of its own, for the key of the issuer */
  constructor(pipeline: TestPipeline, folder: string) {
    this.#pipeline = pipeline;
    this.#folder = folder;
  }

  get keyFile(): string {
    return path.join(this.#folder, 'issuer.json');
  }

  /** The latest that was started, and was not stopped by `stopApi`. */
  get api(): Child {
    return this.#apis.at(-1)!;
  }

  async stopApi(api: Child): Promise<void> {
    this.#apis.splice(this.#apis.indexOf(api), 1);
    await api.stop(10_000);
  }

  async startApi(env: NodeJS.ProcessEnv = {}): Promise<Child> {
    const name = `api-${this.#started++}`;
    const own = {
      ...{ CORRIDOR_API_PORT: '0', CORRIDOR_API_FACES: 'operators', CORRIDOR_AUTH_LOCAL_KEY_FILE: this.keyFile },
      ...env,
    };
    const logFile = path.join(this.#pipeline.logFiles, `${name}.log`);
    const child = await startChild({
      ...{ name, entry: 'cli/main.ts', args: ['api'], logFile, readyTimeoutMs: READY_MS },
      env: { ...this.#pipeline.env, ...own },
    });
    this.#apis.push(child);
    return child;
  }

  async close(): Promise<void> {
    await Promise.all(this.#apis.map((api) => api.stop(10_000)));
  }

  /** A new one each time: another session of the same person. */
  async token({ name, roles }: Person): Promise<string> {
    return (await localIssuer(this.keyFile, { CORRIDOR_ENV: 'test' })).token(name, roles, TOKEN_LIFE_S);
  }

  async ask(who: Person, url: string, { body, etag, key, method, at }: HttpRequest = {}): Promise<HttpAnswer> {
    const response = await fetch(`${String((at ?? this.api).ready['url'])}/v1${url}`, {
      method: method ?? (body ? 'POST' : 'GET'),
      headers: {
        authorization: `Bearer ${await this.token(who)}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(etag === undefined ? {} : { 'if-match': etag }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    this.#heard(who, text);
    expect(response.status, text).toBeLessThan(500);
    const answered = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, etag: response.headers.get('etag') ?? undefined, body: answered };
  }

  #heard(who: Person | undefined, text: string): void {
    const isFull = who?.roles.includes('compliance') === true;
    if (!isFull && !text.includes('whsec_')) this.answers.push(text);
  }

  key(): string {
    return `key-${process.pid}-${this.#keys++}`;
  }

  post(who: Person, url: string, etag: string | undefined): Promise<HttpAnswer> {
    return this.ask(who, url, { etag, method: 'POST' });
  }

  /** A command as this person over the API; without one on the stores, with the keys of a shell. */
  async corridor(args: readonly string[], who?: Person, env: NodeJS.ProcessEnv = {}): Promise<CommandEnd> {
    const over = who && { CORRIDOR_API_URL: String(this.api.ready['url']), CORRIDOR_TOKEN: await this.token(who) };
    const end = await runCorridor(args, { ...this.#pipeline.env, ...env, ...over });
    this.#heard(who, end.stdout);
    this.#heard(who, end.stderr);
    return end;
  }

  /**
   * Good transfers under the broken build: those of one corridor become dead letters of pricing, the others end.
   * @param others that have ended already, or wait for pricing
   * @returns how many letters stand, and what was fed
   */
  async breakPricing(transfers: number, others = 0): Promise<{ dead: number; fed: readonly FedRecord[] }> {
    const lax = { CORRIDOR_DLQ_BREAKER_MAX_RATIO: '1', CORRIDOR_DLQ_BREAKER_MAX_RUN: '10000' };
    await this.#pipeline.startMore(PRICING, { ...this.broken, ...lax });
    const fed = await this.#pipeline.feed(transfers, 22, { mix: ALL_GOOD });
    const dead = await vi.waitUntil(async () => {
      const [put, ended, indexed] = await Promise.all([
        this.transfersIn('DEAD_LETTERED'),
        this.transfersIn('COMPLETED'),
        this.parked(),
      ]);
      return put + ended === transfers + others && indexed === put && put > 0 ? put : undefined;
    }, WAIT);
    return { dead, fed };
  }

  async transfersIn(...states: string[]): Promise<number> {
    const db = await this.#pipeline.connections.db();
    return db.collection('transfers').countDocuments({ state: { $in: states } });
  }

  /** Letters of pricing that stand. */
  async parked(): Promise<number> {
    const db = await this.#pipeline.connections.db();
    return db.collection<DeadLetterDocument>(DEAD_LETTERS).countDocuments({ owner: 'fx-pricing', state: 'PARKED' });
  }

  /** The one group of them, counted. */
  async group(): Promise<Group> {
    return vi.waitUntil(async () => {
      const { body } = await this.ask(ASHA, '/dead-letter-groups');
      const found = body.items.filter(({ owner }: { owner: string }) => owner === 'fx-pricing');
      return body.complete && found.length === 1 ? found[0] : undefined;
    }, WAIT);
  }

  async untilReplay(id: string, isSo: (replay: HttpAnswer) => boolean): Promise<HttpAnswer> {
    return vi.waitUntil(async () => {
      const found = await this.ask(ASHA, `/replays/${id}`);
      return isSo(found) ? found : undefined;
    }, WAIT);
  }

  /** Selected and frozen under a key, though it is sent twice at once, and tried by the server. */
  async tried(select: object, terms: object = { canary: 1 }): Promise<HttpAnswer> {
    const asked = { body: { select, reason: 'mended by the deploy of 03:10', ...terms }, key: this.key() };
    const [one, other] = await Promise.all([this.ask(ASHA, '/replays', asked), this.ask(ASHA, '/replays', asked)]);
    expect([one.status, other.status], JSON.stringify([one.body, other.body])).toEqual([201, 201]);
    expect(one.body.replayId).toBe(other.body.replayId);
    return this.untilReplay(one.body.replayId, (found) => found.body.replay.expected !== null);
  }

  /** Asked for by asha. @returns the approval, as it waits */
  async asked(replay: HttpAnswer): Promise<HttpAnswer> {
    const { replayId } = replay.body.replay;
    const asked = await this.post(ASHA, `/replays/${replayId}/ask`, replay.etag);
    expect(asked.status, JSON.stringify(asked.body)).toBe(201);
    return asked;
  }

  approve(who: Person, approval: HttpAnswer, at?: Child): Promise<HttpAnswer> {
    const body = { reason: 'tried, and looked at five' };
    const url = `/approvals/${approval.body.approvalId}/approve`;
    return this.ask(who, url, { body, etag: approval.etag, ...(at && { at }) });
  }

  /** Everything that was not sent is parked again. */
  async cancel(id: string): Promise<void> {
    const { etag } = await this.ask(ASHA, `/replays/${id}`);
    const cancelled = await this.post(ASHA, `/replays/${id}/cancel`, etag);
    expect(cancelled.status, JSON.stringify(cancelled.body)).toBe(200);
  }
}

export const refused = (code: string, status: number) =>
  expect.objectContaining({ status, body: expect.objectContaining({ code }) });
