// The Kafka Streams baseline: a small Java program, built with Maven when first asked for.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_STATE_DIR } from '../../infra/local/artifacts.ts';
import { findJava, runMaven } from '../../infra/local/java.ts';

const MODULE = path.join(import.meta.dirname, 'streams');
const BUILT = path.join(DEFAULT_STATE_DIR, 'streams-copy');
const HEAP = ['-Xms512m', '-Xmx512m'];

export interface StreamsTask {
  readonly brokers: readonly string[];
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly records: number;
  readonly partitions: number;
  readonly threads: number;
  /** Most records of one poll. */
  readonly batchRecords: number;
  readonly commitMs: number;
}

export interface StreamsResult {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

/** Builds the program if its source is newer than what was built. @throws StackError JAVA_MISSING, MAVEN_MISSING, BUILD_FAILED */
export async function buildStreams(say: (line: string) => void): Promise<void> {
  const jar = path.join(BUILT, 'streams-copy.jar');
  const sources = [path.join(MODULE, 'pom.xml'), path.join(MODULE, 'src/main/java/corridor/StreamsCopy.java')];
  const builtAt = statSync(jar, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (sources.every((file) => statSync(file).mtimeMs < builtAt)) return;
  say('Building the Kafka Streams baseline with Maven (once)');
  rmSync(BUILT, { recursive: true, force: true });
  mkdirSync(BUILT, { recursive: true });
  await runMaven(['-f', MODULE, `-Dout=${BUILT}`, 'package'], {
    env: process.env,
    logFile: path.join(BUILT, 'maven.log'),
    onDownload: (file) => say(`  ${file}`),
    onWait: () => say('Another process runs Maven: waiting for it'),
  });
}

/** Runs a copy and its warm-up in one process of its own; the topics `output.warm` and `output.measured` must exist. */
export async function runStreams(task: StreamsTask): Promise<StreamsResult> {
  const { file } = await findJava(process.env);
  const jars = [path.join(BUILT, 'streams-copy.jar')];
  for (const name of readdirSync(path.join(BUILT, 'lib'))) jars.push(path.join(BUILT, 'lib', name));
  const { brokers, name, input, output, records, partitions, threads, batchRecords, commitMs } = task;
  const args = [brokers.join(), name, input, output, records, partitions, threads, batchRecords, commitMs].map(String);
  const { stdout } = await promisify(execFile)(file, [
    ...HEAP,
    ...['-cp', jars.join(path.delimiter), 'corridor.StreamsCopy'],
    ...args,
  ]);
  return JSON.parse(stdout) as StreamsResult;
}
