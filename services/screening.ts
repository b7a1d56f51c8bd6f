// Screening with its adapters: list versions and exceptions from MongoDB, indexes in threads, the terms of the file.
import { readFileSync } from 'node:fs';
import { type CustomerCaseStore, customerCaseStore } from '../adapters/mongo/customer-cases.ts';
import { listStore } from '../adapters/mongo/list-versions.ts';
import { exceptionStore, type Revocations } from '../adapters/mongo/screening-exceptions.ts';
import { strictJson, strictText } from '../domain/text/strict-json.ts';
import type { CasePolicy } from '../operations/cases/inbox/policy.ts';
import { activateVersion, importVersion, type PublishActivation } from '../operations/lists/import-and-activate.ts';
import { railOf } from '../payouts/instruction.ts';
import { isForTrials } from '../ports/environment.ts';
import { CodedError, codeAndDetail } from '../ports/fault.ts';
import { recordMaker } from '../ports/records.ts';
import { ringOf } from '../ports/seals.ts';
import type { Config } from '../runtime/config/config.ts';
import type { HostRuntime } from '../runtime/hosts/processor-host.ts';
import { createTable, type Table } from '../runtime/hosts/table.ts';
import type { Money, ScreeningListActivated } from '../schemas/types.generated.ts';
import { type ScreeningTerms, screeningTerms } from '../screening/configuration.ts';
import { openIndexThread } from '../screening/index/thread.ts';
import { loadSampleList } from '../screening/lists/sample/load.ts';
import type { ActiveLists } from '../screening/ports.ts';
import { type ClosableScreener, createScreener } from '../screening/screener.ts';
import { screeningExceptionRevoked, screeningListActivated } from '../topics/boundary.ts';
import type { Connections } from './connections.ts';

/** The screening terms of the file, or those built in. @throws CodedError SCREENING_TERMS_INVALID */
export function termsOf({ screening }: Config): ScreeningTerms {
  const { file } = screening;
  try {
    return screeningTerms(file === undefined ? {} : strictJson(strictText(readFileSync(file))));
  } catch (error) {
    const message = `${file ?? 'the screening terms'} cannot be used: ${(error as Error).message}`;
    throw new CodedError('SCREENING_TERMS_INVALID', message, { faultClass: 'fatal' });
  }
}

/** May the lists be looked at once a transfer of this amount is under way? */
export const maySeeLists =
  ({ railsWithoutListCheck }: ScreeningTerms) =>
  ({ price }: { readonly price: { readonly credit: Money } }): boolean =>
    !railsWithoutListCheck.has(railOf(price.credit));

/** The lists in force as the log tells them. */
export const activeInTable = (table: Table<ScreeningListActivated>): ActiveLists => ({
  current: async () => [...table.entries()].map(([, { list }]) => list),
});

/**
 * The lists durably in force, which the log must not be ahead of: what is put in force is in the database first, so a
 * database that is behind the log was put back. Nothing is cleared meanwhile.
 */
export const durableLists = (store: ActiveLists, logged: Table<ScreeningListActivated>): ActiveLists => ({
  async current() {
    // The log first: what is activated between the two is in the database by then, and so never ahead of it.
    const entries = [...logged.entries()];
    const found = new Map((await store.current()).map((list) => [list.source, list]));
    for (const [, { list }] of entries) {
      const durable = found.get(list.source);
      if (durable !== undefined && durable.activation >= list.activation) continue;
      const is = durable ? `has activation ${durable.activation} of ${list.source}` : `has no ${list.source} in force`;
      const message = `the database ${is}, the log ${list.activation}: it was put back; activate ${list.versionId} again`;
      throw new CodedError('LIST_ACTIVATION_ROLLED_BACK', message, {
        faultClass: 'transient-dependency',
        dependency: 'screening-lists',
      });
    }
    return [...found.values()];
  },
});

export interface StageScreener extends ClosableScreener {
  /** Begins to read the revocations of exceptions, so that the first hit that is excused need not wait. Never throws. */
  warmExceptions(): void;
}

/** A screener of one consumer over the lists that `active` names; without it, over those durably in force. */
export async function screenerFor(
  owner: string,
  connections: Connections,
  { logger, metrics }: HostRuntime,
  active?: ActiveLists,
): Promise<StageScreener> {
  const db = await connections.db();
  const versions = listStore(db, connections.config.keys);
  const revocations = revocationsInLog(connections);
  const screener = createScreener({
    active: active ?? versions,
    versions,
    exceptions: exceptionStore(db, {
      operators: ringOf(connections.config.keys, 'operators'),
      revocations,
      onIgnored: (exceptionId, code) => {
        metrics.faults.inc({ consumer: owner, code });
        logger.warn({ stage: owner, code, detail: exceptionId }, 'screening exception ignored');
      },
    }),
    openIndex: openIndexThread,
    terms: termsOf(connections.config),
    clock: Date.now,
    onIndex: (event) => {
      if (event.kind === 'ready') {
        const { versions: ready, difference, elapsedMs } = event;
        const detail = `${difference ? 'what changed in ' : ''}${ready.join(', ')}`;
        logger.info({ stage: owner, detail, durationMs: elapsedMs }, 'screening index ready');
        return;
      }
      metrics.faults.inc({ consumer: owner, code: event.code });
      logger.warn({ stage: owner, code: event.code, detail: event.detail }, 'screening index not built');
    },
  });
  // Said at once: a topic that is missing would stop the first hit that is excused, days later.
  const warmExceptions = () => {
    revocations.warm().catch((error: unknown) => {
      const { code, detail } = codeAndDetail(error);
      metrics.faults.inc({ consumer: owner, code });
      logger.warn({ stage: owner, code, detail }, 'revocations of exceptions not read');
    });
  };
  return {
    screen: (batch) => screener.screen(batch),
    recheck: (batch) => screener.recheck(batch),
    warmExceptions,
    warm() {
      screener.warm();
      warmExceptions();
    },
    async close() {
      await screener.close();
      await revocations.close();
    },
  };
}

/** Revocations of exceptions as the log has them, read at `warm`, or when the first is asked for. Close it when done. */
export function revocationsInLog({
  config,
  log,
  codec,
}: Connections): Revocations & { warm(): Promise<void>; close(): Promise<void> } {
  const topic = screeningExceptionRevoked.name;
  const table = createTable({ topic, log, codec, rings: config.keys });
  let failure: unknown;
  table.failed.catch((error: unknown) => {
    failure = error;
  });
  let starting: Promise<void> | undefined;
  const start = () => {
    starting ??= table.start().finally(() => {
      starting = undefined;
    });
    return starting;
  };
  return {
    warm: start,
    async among(exceptionIds) {
      await start();
      if (failure !== undefined) throw failure;
      return new Set(exceptionIds.filter((id) => table.get(id) !== undefined));
    },
    async publish(revoked) {
      await codec.load([topic]);
      const owner = 'exception-revocation';
      const make = recordMaker({ owner, writes: [screeningExceptionRevoked], codec, rings: config.keys });
      const writer = await log.writer(owner);
      try {
        await writer.send([make(topic, revoked, { partition: 0 })]);
      } finally {
        await writer.close();
      }
    },
    close: () => table.stop(),
  };
}

type Database = Awaited<ReturnType<Connections['db']>>;

/** Cases about customers, for who is blocked by them. */
export const customerCasesFor = (
  owner: string,
  db: Database,
  { logger, metrics, rings }: HostRuntime,
  { onTrueMatch }: Pick<CasePolicy, 'onTrueMatch'>,
): CustomerCaseStore =>
  customerCaseStore(db, {
    operators: ringOf(rings, 'operators'),
    trueMatchTakesTwo: onTrueMatch,
    onUncleared: (caseId, code) => {
      metrics.faults.inc({ consumer: owner, code });
      logger.warn({ stage: owner, code, detail: caseId }, 'customer case blocks, whatever it says');
    },
  });

/** Writes activations to the log. Close it when done. */
export async function activationPublisher({ config, log, codec }: Connections): Promise<{
  publish: PublishActivation;
  /** What the log has as the last activation of a source, which a new one must follow. */
  /** See `ActivationTerms`. */
  readonly forTrials: boolean;
  lastOf(source: string): Promise<ScreeningListActivated | undefined>;
  close(): Promise<void>;
}> {
  const make = recordMaker({ owner: 'list-activation', writes: [screeningListActivated], codec, rings: config.keys });
  await codec.load([screeningListActivated.name]);
  const writer = await log.writer('list-activation');
  return {
    publish: (activation) => writer.send([make(screeningListActivated.name, activation, { partition: 0 })]),
    async lastOf(source) {
      const table = createTable({ topic: screeningListActivated.name, log, codec, rings: config.keys });
      try {
        await table.start();
        return table.get(source);
      } finally {
        await table.stop();
      }
    },
    forTrials: isForTrials(process.env),
    close: () => writer.close(),
  };
}

/** Imports and activates the sample list, as any other list: for the demo and for tests. */
export async function activateSampleList(connections: Connections): Promise<void> {
  const db = await connections.db();
  const store = listStore(db, connections.config.keys);
  await Promise.all([store.ensureIndexes(), exceptionStore(db, connections.config.keys).ensureIndexes()]);
  const { versionId } = await importVersion(store, await loadSampleList(), { by: 'sample', now: Date.now() });
  const { publish, lastOf, close } = await activationPublisher(connections);
  try {
    // Another person, so to speak: the log may be of a time when a newer list was in force.
    await activateVersion(store, publish, versionId, { by: 'demo', now: Date.now(), lastOf });
  } finally {
    await close();
  }
}
