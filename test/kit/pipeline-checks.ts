// What is looked at when a run of the whole pipeline is over.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { consumers } from '../../processors/topology.ts';
import { RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import type { TestPipeline } from './pipeline.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

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
  const child = spawn(process.execPath, [MAIN, 'verify', '--wait-quiet', '5'], { env: pipeline.env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}
