// A replica set with test commands, as the tests of this folder hold it: who is primary, and what it is made to fail at.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, MongoClient } from 'mongodb';
import { behind } from '../kit/mongo-uri.ts';
import { addressOf, MEMBERS, type Member, memberAt } from './members.ts';

/** Name of the program that the product gives to the server: only its commands are made to fail. */
const APP_NAME = 'corridor';
const LOOK_EVERY_MS = 200;

export interface CommandFailure {
  /** Commands that fail, such as `insert` or `find`. */
  readonly commands: readonly string[];
  /** How many of them; by default every one until `failNothing`. */
  readonly times?: number;
  readonly code?: number;
  readonly labels?: readonly string[];
  readonly closeConnection?: boolean;
  /** The command is carried out, and its answer says that a majority did not acknowledge it. */
  readonly writeConcernCode?: number;
  /** The answer comes this much later, ms. */
  readonly delayMs?: number;
}

export class ReplicaSet {
  readonly uri: string;
  readonly client: MongoClient;
  readonly #direct = new Map<Member, MongoClient>();

  private constructor(uri: string) {
    this.uri = uri;
    this.client = new MongoClient(uri, { appName: 'test', retryWrites: true });
  }

  /** The set that MONGODB_URI names. Throws unless it is the one that `up.ts` starts, with test commands. */
  static async connect(): Promise<ReplicaSet> {
    const uri = process.env['MONGODB_URI'];
    if (!uri) throw new Error('set MONGODB_URI to what test/mongodb/up.ts prints: these tests need its replica set');
    const set = new ReplicaSet(uri);
    await set.settled();
    await set.failNothing();
    return set;
  }

  async primary(): Promise<Member> {
    const { primary } = await this.client.db('admin').command({ hello: 1 });
    return memberAt(String(primary));
  }

  async secondaries(): Promise<readonly Member[]> {
    const primary = await this.primary();
    return MEMBERS.filter((member) => member !== primary);
  }

  /** Waits until there is one primary and every member but `without` follows it. */
  async settled(without: readonly Member[] = []): Promise<void> {
    const wanted = MEMBERS.length - without.length;
    for (;;) {
      const states = await this.#states().catch(() => []);
      const healthy = states.filter((state) => state === 'PRIMARY' || state === 'SECONDARY');
      if (healthy.length >= wanted && states.filter((state) => state === 'PRIMARY').length === 1) return;
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #states(): Promise<readonly string[]> {
    const { members } = await this.client.db('admin').command({ replSetGetStatus: 1 });
    return (members as { stateStr: string }[]).map(({ stateStr }) => stateStr);
  }

  /** The primary hands over, and may not be elected again for so many seconds. */
  async stepDown(seconds = 20): Promise<void> {
    const primary = await this.primary();
    // An old server closes the connection instead of answering.
    await this.direct(primary)
      .db('admin')
      .command({ replSetStepDown: seconds, secondaryCatchUpPeriodSecs: 10 })
      .catch(() => undefined);
  }

  /** A client of one member alone, whatever its state. */
  direct(member: Member): MongoClient {
    let client = this.#direct.get(member);
    if (client === undefined) {
      client = new MongoClient(behind(this.uri, addressOf(member)), {
        appName: 'test',
        retryWrites: false,
        readPreference: 'secondaryPreferred',
      });
      this.#direct.set(member, client);
    }
    return client;
  }

  /** Makes commands of the product fail on these members; by default on all, so that an election changes nothing. */
  async fail(failure: CommandFailure, members: readonly Member[] = MEMBERS): Promise<void> {
    const mode = failure.times === undefined ? 'alwaysOn' : { times: failure.times };
    const command = { configureFailPoint: 'failCommand', mode, data: dataOf(failure) };
    await Promise.all(members.map((member) => this.direct(member).db('admin').command(command)));
  }

  async failNothing(): Promise<void> {
    const command = { configureFailPoint: 'failCommand', mode: 'off' };
    await Promise.all(MEMBERS.map((member) => this.direct(member).db('admin').command(command)));
  }

  async close(): Promise<void> {
    await Promise.all([this.client, ...this.#direct.values()].map((client) => client.close()));
  }
}

function dataOf(failure: CommandFailure): Document {
  const { commands, code, labels, closeConnection, writeConcernCode, delayMs } = failure;
  return {
    failCommands: commands,
    appName: APP_NAME,
    ...(code === undefined ? {} : { errorCode: code }),
    ...(labels === undefined ? {} : { errorLabels: labels }),
    ...(closeConnection ? { closeConnection } : {}),
    ...(writeConcernCode === undefined
      ? {}
      : { writeConcernError: { code: writeConcernCode, errmsg: 'made to fail' } }),
    ...(delayMs === undefined ? {} : { blockConnection: true, blockTimeMS: delayMs }),
  };
}
