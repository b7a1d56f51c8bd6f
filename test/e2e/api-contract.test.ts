// What the OpenAPI document promises, tried by a program that we did not write: schemathesis makes requests of it, good and bad,
// and looks for failures of the server, answers that the document does not have, and methods and media types that pass.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type TestApi, testApi, tokenFor, transferDocument } from '../../api/testing/api.ts';
import type { Role } from '../../operations/access/table.ts';
import { errorCodes } from '../../ports/error-codes.ts';
import { pythonWith } from '../kit/python.ts';
import { times } from '../kit/times.ts';

const DOCUMENT = readFileSync(new URL('../../api/v1/openapi.json', import.meta.url), 'utf8');
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-contract-'));

let api: TestApi;
let url: string;
let python: string;
beforeAll(async () => {
  const requirements = path.resolve(import.meta.dirname, '../kit/contract-requirements.txt');
  python = await pythonWith(requirements);
  // How many it sends in a minute without a token is the machine's to say.
  api = await testApi({ document: DOCUMENT, refusedPerMinute: 1_000_000 });
  api.memory.transfers.push(transferDocument({ _id: '00000000' }));
  api.memory.events.push({ _id: 'e', topic: 'transfer.lifecycle', transferId: '00000000', occurredAt: 0 } as never);
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
}, 600_000);
afterAll(() => api?.app.close());

/** What it takes for an answer to good data: a request of the right shape may be refused for what it says. */
const REFUSALS = Object.values(errorCodes).map(({ status }) => status as number);
const TAKEN = [...new Set([...REFUSALS, 200, 201, 202, 204, 304])].filter((status) => status < 500);

/** What it takes where a header field is left out: 428 is for If-Match. */
const WITHOUT_HEADER = [400, 401, 403, 415, 428];

/**
 * Who sends, and how many made-up requests of each operation, besides those that cover each constraint of the document once:
 * what a role may not do is refused before it is looked at. `npm run test:full` makes five times as many.
 */
const SENDERS: readonly (readonly [string, readonly Role[], number])[] = [
  ['acme', ['producer', 'viewer', 'compliance'], times(5)],
  ['asha', ['operator', 'approver', 'compliance'], times(5)],
  ['root', ['admin'], times(1)],
  ['acme', ['producer'], times(1)],
];

it.each(SENDERS)(
  'holds for whatever %s sends, with the roles %j',
  async (subject, roles, examples) => {
    const config = path.join(folder, 'schemathesis.toml');
    const checks = [
      `positive_data_acceptance.expected-statuses = ${JSON.stringify(TAKEN)}`,
      `missing_required_header.expected-statuses = ${JSON.stringify(WITHOUT_HEADER)}`,
    ];
    writeFileSync(config, ['[checks]', ...checks, ''].join('\n'));
    const token = await tokenFor(subject, roles);
    const args = [
      ...['--config-file', config, 'run', `${url}/v1/openapi.json`, '--url', url, '--no-color'],
      ...['-H', `Authorization: Bearer ${token}`, '--max-examples', String(examples), '--seed', '20261130'],
    ];
    copyFileSync(path.resolve(import.meta.dirname, '../kit/contract-hooks.py'), path.join(folder, 'contract_hooks.py'));
    const env = { ...process.env, SCHEMATHESIS_HOOKS: 'contract_hooks', PYTHONPATH: folder };
    const child = spawn(path.join(path.dirname(python), 'schemathesis'), args, { cwd: folder, env });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, output).toBe(0);
    expect(output).toMatch(/Tested: [1-9]/);
    expect(api.logged).toEqual([]);
  },
  1_800_000,
);
