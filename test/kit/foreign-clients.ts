// Clients of other vendors, as programs: the Java client out of the local broker's own jars, librdkafka by pip.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { DEFAULT_STATE_DIR, fetchArtifacts } from '../../infra/local/artifacts.ts';
import { findJava } from '../../infra/local/java.ts';
import { pythonWith } from './python.ts';

const HERE = import.meta.dirname;
const REQUIREMENTS = path.resolve(HERE, '../../docs/examples/python/requirements.txt');

/** A record of a partition. */
export interface ForeignRecord {
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
}
export interface ForeignClient {
  readonly name: string;
  /** Writes all of a partition in as few batches as it may. */
  produce(brokers: readonly string[], topic: string, codec: string, records: readonly ForeignRecord[]): Promise<void>;
  /** Reads, read_committed, from `from` up to `to` of each partition. */
  consume(
    brokers: readonly string[],
    topic: string,
    ranges: readonly { readonly partition: number; readonly from: number; readonly to: number }[],
  ): Promise<readonly ForeignRecord[]>;
}

function run(command: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [said, complained] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complained += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(said) : reject(new Error(`${command}: ${complained}`))));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const clientBy = (name: string, command: string, before: readonly string[]): ForeignClient => ({
  name,
  async produce(brokers, topic, codec, records) {
    const lines = records.map(
      ({ partition, key, value }) => `${partition} ${key.toString('base64')} ${value.toString('base64')}\n`,
    );
    await run(command, [...before, 'produce', brokers.join(), topic, codec], lines.join(''));
  },
  async consume(brokers, topic, ranges) {
    const asked = ranges.map(({ partition, from, to }) => `${partition}:${from}:${to}`).join(' ');
    const said = await run(command, [...before, 'consume', brokers.join(), topic, asked], '');
    return said
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [partition, key, value] = line.split(' ') as [string, string, string];
        return { partition: Number(partition), key: Buffer.from(key, 'base64'), value: Buffer.from(value, 'base64') };
      });
  },
});

/** librdkafka, which C, Python, Go, .NET, PHP and others share. */
export async function librdkafka(): Promise<ForeignClient> {
  const python = await pythonWith(REQUIREMENTS);
  return clientBy('librdkafka', python, ['-W', 'ignore', path.join(HERE, 'foreign-clients.py')]);
}

/** The Java client of Apache Kafka. */
export async function javaClient(): Promise<ForeignClient> {
  const options = { dir: path.join(DEFAULT_STATE_DIR, 'artifacts'), env: process.env, onProgress: () => {} };
  const jars = path.join((await fetchArtifacts(['kafka'], options).get('kafka'))!, '*');
  const { file } = await findJava(process.env);
  return clientBy('Java', file, ['-Xmx256m', '-cp', jars, path.join(HERE, 'ForeignClients.java')]);
}
