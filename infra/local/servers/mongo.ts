import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { STAND_IN } from '../artifacts.ts';
import { classArchiveFile } from '../class-archives.ts';
import { StackError } from '../fault.ts';
import type { Java } from '../java.ts';
import { probeMongo, probePort } from '../probes.ts';
import type { ServerKindSpec } from './server.ts';

/** A genuine mongod: the one that CORRIDOR_MONGOD names, else the one on the PATH, else null. */
export function mongodOnPath(env: NodeJS.ProcessEnv): string | null {
  const named = env['CORRIDOR_MONGOD'];
  const file = named || 'mongod';
  try {
    execFileSync(file, ['--version'], { env, stdio: 'ignore' });
    return file;
  } catch (error) {
    if (!named) return null;
    throw new StackError(
      'BAD_SETTING',
      `CORRIDOR_MONGOD=${named} does not run.`,
      'Set it to the path of a mongod, or unset it to use the stand-in.',
      { cause: error },
    );
  }
}

/** A genuine server, or the folder of the built stand-in, which takes the same options. */
export type MongoProgram = { mongod: string } | { standIn: string; java: Java };

export function mongoServer(options: { program: MongoProgram; dataDir: string; port: number }): ServerKindSpec {
  const { program } = options;
  const genuine = 'mongod' in program;
  // The two do not read each other's files.
  const data = path.join(options.dataDir, genuine ? 'mongo' : 'mongo-stand-in');
  const args = ['--port', String(options.port), '--dbpath', data];
  return {
    name: 'mongo',
    servers: [
      {
        name: 'mongo',
        title: genuine ? 'MongoDB' : 'The MongoDB stand-in',
        ports: [options.port],
        graceMs: 10_000,
        classArchive: genuine ? null : classArchiveFile(program.standIn, program.java),
        corrupt: /is damaged|File corrupted|MVStoreException|WiredTiger error|Detected unclean.*failed/i,
        command: (classArchive) =>
          genuine
            ? { file: program.mongod, args: [...args, '--bind_ip', '127.0.0.1', '--quiet'] }
            : {
                file: path.join(STAND_IN, 'mongod-stand-in'),
                args,
                env: {
                  MONGOD_STAND_IN_JAR: path.join(program.standIn, 'mongod-stand-in.jar'),
                  MONGOD_STAND_IN_JAVA: program.java.file,
                  // Read by the java command itself.
                  ...(classArchive.length > 0 && { JDK_JAVA_OPTIONS: classArchive.join(' ') }),
                },
              },
        prepare: async () => {
          mkdirSync(data, { recursive: true });
        },
        probe: async () => {
          await probePort(options.port);
          await probeMongo(mongoUri(options.port));
        },
      },
    ],
    settle: async () => undefined,
  };
}

export function mongoUri(port: number): string {
  return `mongodb://127.0.0.1:${port}/corridor?directConnection=true`;
}
