// The state folder: who runs the stack in it, what runs, and what its data was made for.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { StackError } from './fault.ts';
import { readJson, writeFileAtomically } from './files.ts';

const identity = z.object({ pid: z.number().int().positive(), startedAt: z.string() });

/** Fixed when the folder is first used. */
const settings = z.object({
  format: z.literal(1),
  brokers: z.union([z.literal(1), z.literal(3)]),
  clusterId: z.string().min(1),
  /** What runs the servers whose data these are; absent until they first ran. */
  provider: z.enum(['containers', 'processes']).optional(),
});
export type StateSettings = z.infer<typeof settings>;

/** What runs now. Written after every change, so that another process can find it, and clean up after a crash. */
const running = z.object({
  owner: identity,
  lifetime: z.enum(['process', 'detached']),
  providers: z.record(z.string(), z.enum(['containers', 'processes', 'external'])),
  urls: z.object({
    kafkaBrokers: z.array(z.string()),
    registryUrl: z.string(),
    mongoUri: z.string(),
    redisLimitsUrl: z.string(),
    redisQueueUrl: z.string(),
  }),
  kafkaBehindProxy: z.array(z.string()),
  servers: z.array(identity.extend({ name: z.string(), log: z.string() })),
  containers: z.array(z.object({ name: z.string(), id: z.string() })),
});
export type RunningState = z.infer<typeof running>;

const WIPE = 'Run `npm run corridor -- down --wipe` to remove the local state (its data are lost), and start again.';

/** For those who find the folder. */
const ABOUT =
  'Made by Corridor: data, logs and programs of its local servers. Remove with `npm run corridor -- down --wipe`.\n';

export class StateDir {
  readonly dir: string;
  readonly data: string;
  readonly logs: string;

  constructor(dir: string) {
    this.dir = path.resolve(dir);
    this.data = path.join(this.dir, 'data');
    this.logs = path.join(this.dir, 'logs');
  }

  get lock(): string {
    return path.join(this.dir, 'start.lock');
  }

  get #settingsFile(): string {
    return path.join(this.dir, 'corridor-state.json');
  }

  get #runningFile(): string {
    return path.join(this.dir, 'running.json');
  }

  log(server: string): string {
    return path.join(this.logs, `${server}.log`);
  }

  /**
   * The settings of the data in this folder; a folder without any is given `fresh`.
   * Throws StackError STATE_CORRUPT or STATE_MISMATCH.
   */
  open(fresh: StateSettings): StateSettings {
    const found = this.#read(this.#settingsFile, settings);
    if (!found) {
      if (existsSync(this.data) && readdirSync(this.data).length > 0) {
        throw new StackError('STATE_CORRUPT', `${this.dir} holds data, but not what they were made for.`, WIPE);
      }
      mkdirSync(this.logs, { recursive: true });
      mkdirSync(this.data, { recursive: true });
      writeFileSync(path.join(this.dir, 'README.txt'), ABOUT);
      writeFileAtomically(this.#settingsFile, `${JSON.stringify(fresh)}\n`);
      return fresh;
    }
    if (found.brokers !== fresh.brokers) {
      throw new StackError(
        'STATE_MISMATCH',
        `${this.dir} was made for ${found.brokers} Kafka broker(s), not for ${fresh.brokers}.`,
        `Use another state folder, or: ${WIPE}`,
      );
    }
    return found;
  }

  /** What ran the servers whose data are here; undefined before they first ran. */
  runner(): 'containers' | 'processes' | undefined {
    return this.#read(this.#settingsFile, settings)?.provider;
  }

  setRunner(provider: 'containers' | 'processes'): void {
    const found = this.#read(this.#settingsFile, settings);
    if (!found || found.provider === provider) return;
    writeFileAtomically(this.#settingsFile, `${JSON.stringify({ ...found, provider })}\n`);
  }

  /** What runs, or ran when its owner died. Throws StackError STATE_CORRUPT. */
  running(): RunningState | undefined {
    return this.#read(this.#runningFile, running);
  }

  setRunning(state: RunningState): void {
    writeFileAtomically(this.#runningFile, `${JSON.stringify(state, null, 2)}\n`);
  }

  clearRunning(): void {
    rmSync(this.#runningFile, { force: true });
  }

  /** Removes the folder. Refuses one that Corridor did not make. */
  remove(): void {
    if (!existsSync(this.dir)) return;
    const ours = ['corridor-state.json', 'running.json', 'artifacts', 'data', 'logs', 'start.lock'];
    const entries = readdirSync(this.dir);
    if (entries.length > 0 && !entries.some((entry) => ours.includes(entry))) {
      throw new StackError(
        'STATE_CORRUPT',
        `${this.dir} does not look like a state folder of Corridor: it is left alone.`,
        'Check the path; remove the folder by hand if it is the right one.',
      );
    }
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #read<T>(file: string, schema: z.ZodType<T>): T | undefined {
    try {
      const value = readJson(file);
      return value === undefined ? undefined : schema.parse(value);
    } catch (error) {
      throw new StackError('STATE_CORRUPT', `${file} cannot be read as the state of a local stack.`, WIPE, {
        cause: error,
      });
    }
  }
}
