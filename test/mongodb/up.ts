// Starts the replica set of test/mongodb and prints the variables that point tests to it, a line each:
//   node bin/run.mjs test/mongodb/up.ts [--version 8.0.9] [--secure]
// `docker compose -f test/mongodb/docker-compose.yml down --volumes` removes it. The names mongo1.test, mongo2.test and
// mongo3.test must lead to 127.0.0.1 on this machine (/etc/hosts).
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../../infra/local/probes.ts';
import { addressOf, MEMBERS, type Member, memberAt, SET_NAME } from './members.ts';

/** A first start pulls nothing any more by then, but a busy machine elects slowly. */
const TIMEOUT_MS = 120_000;
const USER = 'corridor';
const COMPOSE = path.join(import.meta.dirname, 'docker-compose.yml');
/** Makes the set unless that was done; fails until it has a primary, and prints where. Asks nothing that needs a user. */
const INITIATE = `
  const set = ${JSON.stringify({ _id: SET_NAME, members: MEMBERS.map((member, _id) => ({ _id, host: addressOf(member) })) })};
  if (!db.hello().setName) rs.initiate(set);
  const { primary } = db.hello();
  if (!primary) quit(1);
  print('primary=' + primary);`;

const { values } = parseArgs({
  options: { version: { type: 'string', default: '8.0.9' }, secure: { type: 'boolean', default: false } },
});
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-mongo-set-'));
const password = randomBytes(16).toString('hex');
const caFile = path.join(folder, 'ca.pem');
const env = {
  ...process.env,
  CORRIDOR_TEST_MONGO_VERSION: values.version,
  CORRIDOR_TEST_MONGO_SECURITY: values.secure ? 'secure' : 'plain',
  CORRIDOR_TEST_MONGO_CERTIFICATES: folder,
};
const run = (command: string, args: readonly string[]) =>
  execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

if (values.secure) makeCertificates();
run('docker', ['compose', '-f', COMPOSE, 'up', '-d']);
let primary = MEMBERS[0]!;
await until(AbortSignal.timeout(TIMEOUT_MS), async () => {
  primary = memberAt(/primary=(\S+)/.exec(mongosh(MEMBERS[0]!, INITIATE))?.[1] ?? '');
});
const user = { user: USER, pwd: password, roles: ['root'] };
if (values.secure) mongosh(primary, `db.getSiblingDB('admin').createUser(${JSON.stringify(user)})`);
console.log(`MONGODB_URI=${uri()}`);

/** Everybody's certificate is one and the same, for all names. */
function makeCertificates(): void {
  const at = (name: string) => path.join(folder, name);
  const names = ['localhost', ...MEMBERS.map(({ host }) => host)].map((name) => `DNS:${name}`);
  const newKey = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  run('openssl', ['req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', caFile, '-subj', '/CN=corridor-test-ca']);
  run('openssl', [
    'req',
    ...newKey.slice(0, 3),
    '-keyout',
    at('server.key'),
    '-out',
    at('server.csr'),
    '-subj',
    '/CN=mongo',
  ]);
  writeFileSync(at('names'), `subjectAltName=${[...names, 'IP:127.0.0.1'].join()}\n`);
  const signed = ['-CA', caFile, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names')];
  run('openssl', ['x509', '-req', '-in', at('server.csr'), ...signed, '-out', at('server.crt')]);
  writeFileSync(at('server.pem'), readFileSync(at('server.crt'), 'utf8') + readFileSync(at('server.key'), 'utf8'));
  writeFileSync(at('key'), randomBytes(256).toString('base64'));
  // The server reads them under another user; they are of this run alone.
  chmodSync(folder, 0o755);
  for (const name of ['ca.pem', 'server.pem', 'key']) chmodSync(at(name), 0o644);
}

/** Runs a script within a member, which lets its own machine in before there is a user. Throws when it fails. */
function mongosh({ container, port }: Member, script: string): string {
  const tls = values.secure ? ['--tls', '--tlsCAFile', '/certificates/ca.pem'] : [];
  return run('docker', ['exec', container, 'mongosh', '--quiet', '--port', String(port), ...tls, '--eval', script]);
}

function uri(): string {
  const login = values.secure ? `${USER}:${password}@` : '';
  const options = values.secure ? `&authSource=admin&tls=true&tlsCAFile=${caFile}` : '';
  return `mongodb://${login}${MEMBERS.map(addressOf).join()}/?replicaSet=${SET_NAME}${options}`;
}
