// A server that speaks S3, of another's make (moto, from PyPI), as a process of its own on a free port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pythonWith } from '../python.ts';

export interface ObjectStorageServer {
  readonly url: string;
  /** What a client needs to use it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** What any client of it is given. */
export const TEST_CREDENTIALS = { accessKeyId: 'for-tests', secretAccessKey: 'for-tests-alone' };

export async function startObjectStorage(bucket: string): Promise<ObjectStorageServer> {
  const python = await pythonWith(path.join(import.meta.dirname, 'requirements.txt'));
  const child = spawn(python, ['-u', '-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said);
      if (found) resolve(found[1]!);
      // What it says of each request is of no use; nobody reads it, and a full pipe would stop it.
      if (said.length > 100_000) said = '';
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the S3 server ended with ${code}: ${said}`)));
  });
  const made = await fetch(`${url}/${bucket}`, { method: 'PUT' });
  if (!made.ok) throw new Error(`the bucket could not be made: ${made.status}`);
  return {
    url,
    env: {
      ...{ CORRIDOR_S3_ENDPOINT: url, CORRIDOR_S3_REGION: 'us-east-1' },
      ...{ CORRIDOR_S3_ACCESS_KEY_ID: 'for-tests', CORRIDOR_S3_SECRET_ACCESS_KEY: 'for-tests-alone' },
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
