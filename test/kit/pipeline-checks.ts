// What is looked at when a run of the whole pipeline is over.
import { expect } from 'vitest';
import { consumers } from '../../processors/topology.ts';
import { RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { runCorridor } from './corridor-command.ts';
import type { TestPipeline } from './pipeline.ts';

/** Classes of all dead letters, by how many. */
export async function deadLettersByClass(pipeline: TestPipeline): Promise<Readonly<Record<string, number>>> {
  const reader = pipeline.connections.log.reader();
  const found: Record<string, number> = {};
  await reader.read(await reader.offsets(Object.keys(consumers).map(deadLetterTopic)), ({ records }) => {
    for (const { headers } of records) {
      const kind = String(headers[RECOVERY_HEADER.deadLetterClass]);
      found[kind] = (found[kind] ?? 0) + 1;
    }
  });
  return found;
}

/** `corridor verify` over what the pipeline has done: its exit code, and all that it said. */
export async function runVerify(pipeline: TestPipeline): Promise<{ readonly code: number; readonly said: string }> {
  const { code, stdout, stderr } = await runCorridor(['verify', '--wait-quiet', '5'], pipeline.env);
  return { code, said: `${stdout}${stderr}` };
}

/**
 * Nothing of ours is a dead letter, the log adds up, and the processes that began are those that end when they are told to.
 * @param began how many processes the test started
 */
export async function expectUnharmed(pipeline: TestPipeline, began: number): Promise<void> {
  const { undecodable: _, ...others } = await deadLettersByClass(pipeline);
  expect(others).toEqual({});
  const verified = await runVerify(pipeline);
  expect(verified, verified.said).toMatchObject({ code: 0 });
  expect(await pipeline.stop()).toEqual(new Array(began).fill(0));
}
