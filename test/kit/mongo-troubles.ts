// What happens to replica sets, as a proxy before a server can play it: refused reads and writes by code, cut connections,
// majorities that do not acknowledge, elections, latency. None of it may condemn a record or end a process.
import { setTimeout as sleep } from 'node:timers/promises';
import { type MongoProxy, READING, type SeenCommand, type Treatment, WRITING } from './mongo-proxy.ts';

type Treat = MongoProxy['treat'];

const isRead = ({ name }: SeenCommand) => READING.has(name);
const isWrite = ({ name, writes }: SeenCommand) => WRITING.has(name) && (writes > 0 || name === 'findAndModify');
/** Several writes in one command: one may be refused for another reason than the next. */
const isBulk = ({ name, writes }: SeenCommand) => WRITING.has(name) && writes > 1;

const when =
  (concerns: (command: SeenCommand) => boolean, treatment: Treatment): Treat =>
  (command) =>
    concerns(command) ? treatment : undefined;
const any = (command: SeenCommand) => isRead(command) || isWrite(command);
const refuse = (code: number): Treatment => ({ kind: 'refuse', code });

/** By name; `not primary` is a state of the server, not an answer to a command. */
export const MONGO_TROUBLES: Readonly<Record<string, Treat | 'not primary'>> = {
  'reads before a majority is known (134)': when(isRead, refuse(134)),
  'writes that are temporarily unavailable (365)': when(isWrite, refuse(365)),
  'a primary that steps down (189)': when(any, refuse(189)),
  'writes in conflict (112)': when(isWrite, refuse(112)),
  'everything interrupted (11601)': when(any, refuse(11_601)),
  'cursors that are gone (43, 237)': when(isRead, refuse(43)),
  'too much to do (462)': when(any, { kind: 'refuse', code: 462, labels: ['SystemOverloadedError', 'RetryableError'] }),
  'connections cut before': when(any, { kind: 'cut', when: 'before' }),
  'connections cut after': when(isWrite, { kind: 'cut', when: 'after' }),
  'bulks with [11000, 112]': when(isBulk, { kind: 'write-errors', codes: [11_000, 112] }),
  'bulks with [112, 11000]': when(isBulk, { kind: 'write-errors', codes: [112, 11_000] }),
  'a majority that is late (64)': when(isWrite, { kind: 'unacknowledged', code: 64 }),
  'a shutdown before the majority (91)': when(isWrite, { kind: 'unacknowledged', code: 91 }),
  'a code that nobody knows (4711)': when(any, refuse(4_711)),
  'slow answers': when(any, { kind: 'delay', ms: 300 }),
  'no primary': 'not primary',
};

/** Puts the server behind `proxy` into a trouble and takes it back. Resolves with how many commands met it. */
export async function inTrouble(proxy: MongoProxy, name: string, lasts: () => Promise<unknown>): Promise<number> {
  const trouble = MONGO_TROUBLES[name];
  if (trouble === undefined) throw new Error(`no trouble is called ${name}`);
  const before = proxy.treated;
  if (trouble === 'not primary') proxy.primary = false;
  else proxy.treat = trouble;
  try {
    await lasts();
  } finally {
    proxy.primary = true;
    proxy.treat = () => undefined;
  }
  return proxy.treated - before;
}

/** Lasts for so long, and until enough commands have met it. */
export async function untilMet(proxy: MongoProxy, forMs: number, met: number): Promise<void> {
  const before = proxy.treated;
  await sleep(forMs);
  while (proxy.treated - before < met) await sleep(20);
}
