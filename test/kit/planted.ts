// What nobody may read outside of the records themselves: names, accounts, ids and addresses of the parties that were fed, tokens,
// keys, secrets. Looked for in all that a run has written down, measured and answered.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { FedRecord } from '../../samples/fed-record.ts';
import type { Parties } from '../../schemas/types.generated.ts';
import { AUDIT_TOPICS } from '../../services/audit.ts';
import type { OnCall } from './on-call.ts';
import type { TestPipeline } from './pipeline.ts';
import { readTopic } from './read-topic.ts';

const SECRETS = [/eyJ[\w-]{8,}\.[\w-]{8,}\./, /development-only-(stage|operator|executor|feed)-key/];
/** Of each party: name, account and id, and what there is of its address. */
const OF_A_TRANSFER = 6;

async function markersOf({ connections }: TestPipeline, fed: readonly FedRecord[]): Promise<readonly string[]> {
  const sent = await connections.codec.decode(
    'transfer.requested',
    fed.map(({ value }) => value),
  );
  const markers = sent.flatMap((result) => {
    const parties = (result.ok ? result.value.parties : {}) as { readonly 'corridor.Parties'?: Parties };
    const open = parties['corridor.Parties'];
    if (!open) return [];
    const { debtor, creditor } = open;
    return [debtor, creditor].flatMap(({ name, account, customerId, postalAddress }) => [
      ...[name, account.value, customerId],
      // Also of what goes to the provider: the address.
      ...(postalAddress?.street ? [postalAddress.street] : []),
      ...(postalAddress?.building ? [`"building":"${postalAddress.building}"`] : []),
    ]);
  });
  expect(markers.length).toBeGreaterThanOrEqual(fed.length * OF_A_TRANSFER);
  return markers;
}

/** What the processes that still run say of themselves. */
async function metricsOf(pipeline: TestPipeline, people: OnCall): Promise<readonly string[]> {
  const running = await Promise.allSettled(
    [people.api, ...pipeline.processes].map(async ({ ready }) =>
      (await fetch(`${String(ready['health'])}/metrics`)).text(),
    ),
  );
  const found = running.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  expect(found.join('')).toContain('corridor_api');
  return found;
}

/**
 * Nothing of it stands in logs, metrics, the audit log, or what was answered to those who may not see it.
 * @param secrets that were told to somebody once, and are nowhere else
 */
export async function expectNothingPlanted(
  pipeline: TestPipeline,
  people: OnCall,
  { fed, secrets = [] }: { readonly fed: readonly FedRecord[]; readonly secrets?: readonly string[] },
): Promise<void> {
  const [markers, metrics] = await Promise.all([markersOf(pipeline, fed), metricsOf(pipeline, people)]);
  const logs = readdirSync(pipeline.logFiles)
    .filter((file) => file.endsWith('.log') && !file.startsWith('simulator'))
    .map((file) => readFileSync(path.join(pipeline.logFiles, file), 'utf8'));
  const audited = await Promise.all(AUDIT_TOPICS.map((topic) => readTopic(pipeline.connections.log, topic)));
  const entries = audited.flat().map(({ value }) => value?.toString('utf8') ?? '');
  expect(people.answers.length).toBeGreaterThan(0);
  for (const text of [...logs, ...metrics, ...entries, ...people.answers]) {
    for (const secret of SECRETS) expect(text).not.toMatch(secret);
    expect([...markers, ...secrets].filter((marker) => text.includes(marker))).toEqual([]);
  }
}
