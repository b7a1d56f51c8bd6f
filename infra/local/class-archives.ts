// Archives of the JVM servers' classes (class data sharing): with one, Kafka and the registry start in about half the
// time and CPU. Making one means running the server once, apart from the stack; that is done in the background, at the
// lowest priority, and given up when the stack stops.
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makeScratch } from './artifacts.ts';
import type { Java } from './java.ts';
import { until } from './probes.ts';
import type { Command, ProcessGroup } from './processes.ts';
import type { ServerKindSpec, ServerSpec } from './servers/server.ts';

const START_TIMEOUT_MS = 300_000;
const DUMP_TIMEOUT_MS = 300_000;

/** The file for a server's archive: of no use to another build of Java, or another version of the server. */
export function classArchiveFile(artifactDir: string, java: Java): string {
  return `${artifactDir}-${java.build}.jsa`;
}

/** JVM options that load the archive, if it has been made. The JVM itself ignores one that does not fit. */
export function classArchiveOptions(file: string | null): string[] {
  return file && existsSync(file) ? [`-XX:SharedArchiveFile=${file}`, '-Xshare:auto'] : [];
}

/** A single server, in a folder of its own and on free ports. */
export interface Rehearsal {
  readonly archive: string;
  readonly rehearse: (dir: string) => Promise<ServerKindSpec>;
}

/**
 * Makes the archives that are missing, one after the other. Never throws: without an archive a server starts as well,
 * only slower.
 */
export async function makeClassArchives(options: {
  group: ProcessGroup;
  signal: AbortSignal;
  rehearsals: readonly Rehearsal[];
}): Promise<void> {
  for (const { archive, rehearse } of options.rehearsals) {
    if (existsSync(archive) || options.signal.aborted) continue;
    const dir = makeScratch(archive);
    try {
      await makeOne(archive, dir, await rehearse(dir), options);
    } catch {
      // It is tried again by the next stack.
    } finally {
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function makeOne(
  archive: string,
  dir: string,
  kind: ServerKindSpec,
  { group, signal }: { group: ProcessGroup; signal: AbortSignal },
): Promise<void> {
  const made = path.join(dir, 'classes.jsa');
  const spec = kind.servers[0] as ServerSpec;
  await spec.prepare();
  const command = spec.command([`-XX:ArchiveClassesAtExit=${made}`]);
  const server = await group.start(nice(command), path.join(dir, 'rehearsal.log'));
  const giveUp = () => server.signal('SIGKILL');
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const ended = new AbortController();
    void server.exited.then(() => ended.abort());
    const ending = AbortSignal.any([signal, ended.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
    await until(ending, () => spec.probe());
    // What it does once it runs needs classes too.
    await kind.settle(ending, [spec.name]);
    // The archive is written after the end was asked for.
    await server.stop(DUMP_TIMEOUT_MS);
    const complete = server.ended === 'exit code 143' || server.ended === 'exit code 0';
    if (complete && existsSync(made)) renameSync(made, archive);
  } finally {
    signal.removeEventListener('abort', giveUp);
    giveUp();
  }
}

function nice(command: Command): Command {
  return { ...command, file: 'nice', args: ['-n', '19', command.file, ...command.args] };
}
