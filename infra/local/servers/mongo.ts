import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { STAND_IN } from '../artifacts.ts';
import { classArchiveFile } from '../class-archives.ts';
import { StackError } from '../fault.ts';
import type { Java } from '../java.ts';
import { probeMongo, probePort } from '../probes.ts';
import type { MongoFindings } from './mongo-choice.ts';
import { REPLICA_SET, settleReplicaSet } from './replica-set.ts';
import type { ServerKindSpec } from './server.ts';

/** What there is on this machine to choose from. @throws StackError BAD_SETTING */
export function mongoFindings(env: NodeJS.ProcessEnv, dataDir: string): MongoFindings {
  const named = env['CORRIDOR_MONGOD'] || null;
  const download = env['CORRIDOR_MONGOD_DOWNLOAD'] || 'on';
  if (download !== 'on' && download !== 'off') {
    throw new StackError('BAD_SETTING', `CORRIDOR_MONGOD_DOWNLOAD=${download} says nothing.`, 'Set it to on or off.');
  }
  const hasData = (folder: string) => {
    const dir = path.join(dataDir, folder);
    return existsSync(dir) && readdirSync(dir).length > 0;
  };
  if (named) checkNamed(named, env);
  return {
    named,
    onPath: !named && runs('mongod', env) ? 'mongod' : null,
    data: hasData(GENUINE_DATA) ? 'genuine' : hasData(STAND_IN_DATA) ? 'stand-in' : null,
    mayDownload: download === 'on',
  };
}

/** The two do not read each other's files. */
const GENUINE_DATA = 'mongo';
const STAND_IN_DATA = 'mongo-stand-in';

function runs(file: string, env: NodeJS.ProcessEnv): boolean {
  try {
    execFileSync(file, ['--version'], { env, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function checkNamed(named: string, env: NodeJS.ProcessEnv): void {
  try {
    execFileSync(named, ['--version'], { env, stdio: 'ignore' });
  } catch (error) {
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
  const data = path.join(options.dataDir, genuine ? GENUINE_DATA : STAND_IN_DATA);
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
            ? { file: program.mongod, args: [...args, '--bind_ip', '127.0.0.1', '--replSet', REPLICA_SET, '--quiet'] }
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
    settle: async (signal) => {
      if (genuine) await settleReplicaSet(options.port, signal);
    },
  };
}

export function mongoUri(port: number): string {
  return `mongodb://127.0.0.1:${port}/corridor?directConnection=true`;
}
