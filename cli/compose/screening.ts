// Screening with its adapters: list versions and exceptions from MongoDB, indexes in threads, the terms of the file.
import { readFileSync } from 'node:fs';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { strictJson, strictText } from '../../domain/strict-json.ts';
import { railOf } from '../../payouts/instruction.ts';
import { type ScreeningTerms, screeningTerms } from '../../processors/screening/configuration.ts';
import { openIndexThread } from '../../processors/screening/index/thread.ts';
import { loadSampleList } from '../../processors/screening/lists/sample/load.ts';
import type { ActiveLists } from '../../processors/screening/ports.ts';
import { type ClosableScreener, createScreener } from '../../processors/screening/screener.ts';
import {
  activateVersion,
  importVersion,
  type PublishActivation,
} from '../../processors/screening/versions/lifecycle.ts';
import type { Config } from '../../runtime/config/config.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import type { HostRuntime } from '../../runtime/processor-host.ts';
import { recordOf, requireRings, ringOf } from '../../runtime/seals.ts';
import type { Table } from '../../runtime/table.ts';
import type { Money, ScreeningListActivated } from '../../schemas/types.generated.ts';
import { screeningListActivated } from '../../topics/edges.ts';
import type { Connections } from '../connect.ts';

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

/** A screener of one consumer over the lists that `active` names; without it, over those durably in force. */
export async function screenerFor(
  owner: string,
  connections: Connections,
  { logger, metrics }: HostRuntime,
  active?: ActiveLists,
): Promise<ClosableScreener> {
  const db = await connections.db();
  const versions = listStore(db);
  return createScreener({
    active: active ?? versions,
    versions,
    exceptions: exceptionStore(db, {
      operators: ringOf(connections.config.keys, 'operators'),
      onIgnored: (exceptionId) => {
        metrics.faults.inc({ consumer: owner, code: 'EXCEPTION_NOT_SEALED' });
        logger.warn({ stage: owner, code: 'EXCEPTION_NOT_SEALED', detail: exceptionId }, 'screening exception ignored');
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
}

/** Writes activations to the log. Close it when done. */
export async function activationPublisher({ config, log, codec }: Connections): Promise<{
  publish: PublishActivation;
  close(): Promise<void>;
}> {
  requireRings(config.keys, [screeningListActivated.name]);
  await codec.load([screeningListActivated.name]);
  const writer = await log.writer('list-activation');
  return {
    publish: (activation) =>
      writer.send([recordOf(screeningListActivated, activation, { codec, rings: config.keys, partition: 0 })]),
    close: () => writer.close(),
  };
}

/** Imports and activates the sample list, as any other list: for the demo and for tests. */
export async function activateSampleList(connections: Connections): Promise<void> {
  const db = await connections.db();
  const store = listStore(db);
  await Promise.all([store.ensureIndexes(), exceptionStore(db, connections.config.keys).ensureIndexes()]);
  const by = 'sample';
  const { versionId } = await importVersion(store, await loadSampleList(), { by, now: Date.now() });
  const { publish, close } = await activationPublisher(connections);
  try {
    await activateVersion(store, publish, versionId, { by, now: Date.now() });
  } finally {
    await close();
  }
}
