// List versions that become active around transfers, on the real stack, by the commands that officers use: before dispatch
// the transfer is held, after payment the customer becomes a case, and what was decided is told from the log.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { customerCaseStore } from '../../adapters/mongo/customer-cases.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import type { Parties } from '../../schemas/types.generated.ts';
import { EVENTS } from '../../services/process-parts/sinks.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MAIN = path.join(ROOT, 'cli/main.ts');
const SAMPLE = path.join(ROOT, 'screening/lists/sample');
/** Only good ones. */
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const BEFORE_DISPATCH = ['--processors', 'intake,screening,fx-pricing,limits', '--sinks', 'all', '--cases'];
const REST = ['--processors', 'payout-dispatch,settlement', '--payouts', '--rescreening'];

let pipeline: TestPipeline;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'corridor-lists-'));
  const terms = path.join(directory, 'screening.json');
  // Whatever the rail, the lists may be looked at.
  writeFileSync(terms, JSON.stringify({ railsWithoutListCheck: [] }));
  const env = { CORRIDOR_SCREENING_FILE: terms };
  pipeline = await TestPipeline.create({ urls: inject('stack'), processes: [BEFORE_DISPATCH], env });
  await pipeline.start();
}, 180_000);
afterAll(async () => {
  await pipeline?.close();
  rmSync(directory, { recursive: true, force: true });
});

function corridor(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { env: pipeline.env, encoding: 'utf8' });
}
function succeed(...args: string[]): string {
  const { status, stdout, stderr } = corridor(...args);
  expect(status, stderr).toBe(0);
  return stdout;
}
const json = <T>(...args: string[]): T => JSON.parse(succeed(...args, '--json')) as T;

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 300_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`did not come about; logs in ${pipeline.logFiles}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Where a transfer stands, as the event sink has it: `STATE by STAGE`. */
async function standing(id: string): Promise<string> {
  const events = (await pipeline.connections.db()).collection(EVENTS);
  const [last] = await events.find({ transferId: id }).sort({ sequence: -1 }).limit(1).toArray();
  return `${last?.['state']} by ${last?.['stage']}`;
}
const reaches = (id: string, wanted: string) =>
  until(async () => ((await standing(id)) === wanted ? wanted : undefined));

async function senderOf({ value }: FedRecord): Promise<string> {
  const [result] = await pipeline.connections.codec.decode('transfer.requested', [value]);
  if (!result?.ok) throw new Error('the fed intent does not decode');
  return (result.value.parties as { 'corridor.Parties': Parties })['corridor.Parties'].debtor.name;
}

/** Imports the sample list with these persons added, published on this day, and puts it in force. */
function activateWith(names: readonly string[], published: string): string {
  const rows = names.map((name, i) => `${9_100 + i},"${name}","individual","TEST"${',-0- '.repeat(8)}`);
  const sdn = readFileSync(path.join(SAMPLE, 'sdn.csv'), 'utf8').replaceAll('\u001a', '').trimEnd();
  const file = path.join(directory, `sdn-${published}.csv`);
  writeFileSync(file, `${[sdn, ...rows].join('\r\n')}\r\n`);
  const imported = json<{ versionId: string; isNew: boolean }>(
    'lists',
    'import',
    'ofac',
    file,
    path.join(SAMPLE, 'alt.csv'),
    '--source=CORRIDOR',
    `--published=${published}`,
    '--by=amara',
  );
  expect(imported.isNew).toBe(true);
  expect(succeed('lists', 'activate', imported.versionId, '--by', 'amara')).toContain('is in force');
  return imported.versionId;
}

describe('a list version that becomes active', () => {
  it('holds what is not yet paid, makes known customers cases, and leaves the rest alone', async () => {
    const [listed, paid] = (await pipeline.feed(2, 11, { mix: NOTHING })) as [FedRecord, FedRecord];
    for (const { account } of [listed, paid]) await reaches(account, 'RESERVED by LIMITS');

    // Between screening and dispatch.
    const versionId = activateWith([await senderOf(listed)], '2026-11-21');
    const [difference] = succeed('lists', 'diff', ...versions(), '--limit', '1').split('\n');
    expect(difference).toBe('+1 / -0 / 0 changed');
    await pipeline.startMore([REST]);
    await reaches(listed.account, 'HELD by PAYOUT_DISPATCH');
    await reaches(paid.account, 'COMPLETED by SETTLEMENT');

    const explained = succeed('explain', listed.account);
    expect(explained).toContain('Looked at again before the payout was asked for');
    expect(explained).toContain(versionId);
    expect(explained).toContain('possible match: held for a person to decide');
    expect(explained).toContain('Made again from this evidence: the same decision.');

    // On the command line, against what is in force.
    const name = await senderOf(listed);
    const screened = JSON.parse(succeed('screen', '--schema', 'Person', name)) as { lists: string[] };
    expect(screened).toMatchObject({ outcome: 'potential', hits: [{ entity: 'CORRIDOR:9100' }] });
    expect(screened.lists).toEqual([versionId]);
    const piped = spawnSync(process.execPath, [MAIN, 'screen'], {
      env: pipeline.env,
      encoding: 'utf8',
      input: `${JSON.stringify({ id: 1, kind: 'PERSON', name })}\n{"id":2,"kind":"PERSON","name":"Wenceslas Brzezicki"}\n`,
    });
    expect([piped.status, piped.stderr]).toEqual([0, '']);
    const answers = piped.stdout.trimEnd().split('\n');
    expect(answers.map((line) => JSON.parse(line) as object)).toMatchObject([
      { id: 1, outcome: 'potential' },
      { id: 2, outcome: 'clear' },
    ]);

    // After payment.
    activateWith([await senderOf(listed), await senderOf(paid)], '2026-11-22');
    const customers = customerCaseStore(await pipeline.connections.db(), pipeline.connections.config.keys);
    await until(async () => {
      const open = await customers.list({ state: 'OPEN', limit: 10 });
      return open.some(({ transferId }) => transferId === paid.account) ? open : undefined;
    });
    const cases = json<{ entity: string }[]>('customers', 'list');
    expect(new Set(cases.map(({ entity }) => entity))).toEqual(new Set(['CORRIDOR:9100', 'CORRIDOR:9101']));

    // A process that starts makes up for those who were screened against an older version when the last run had begun.
    await (await pipeline.connections.db()).collection('customer_cases').deleteMany({});
    await pipeline.startMore([['--rescreening']]);
    await until(async () => {
      const open = await customers.list({ state: 'OPEN', limit: 10 });
      return open.some(({ transferId }) => transferId === paid.account) ? open : undefined;
    });

    // An exception needs a case, a known entity, and another person.
    const holds = () => json<{ cases: { id: string; transferId: string }[] }>('cases', 'list', '--kind', 'HOLD').cases;
    const [about] = holds();
    const entity = ['--entity', 'CORRIDOR:9100', '--days', '30', '--reason', 'another date of birth', '--by', 'amara'];
    const [asked] = json<{ exceptionId: string }[]>('exceptions', 'add', '--case', about!.id, ...entity);
    const states = () => json<{ state: string }[]>('exceptions', 'list').map(({ state }) => state);
    expect(states()).toEqual(['waits for approval']);
    const alone = corridor('exceptions', 'approve', asked!.exceptionId, '--by', 'amara');
    expect([alone.status, alone.stderr]).toEqual([1, expect.stringContaining('SECOND_PERSON_NEEDED')]);
    succeed('exceptions', 'approve', asked!.exceptionId, '--by', 'bela');
    expect(states()).toEqual(['in force']);
    const nobody = corridor('exceptions', 'add', '--case', about!.id, '--role', 'intermediary-9', ...entity);
    expect([nobody.status, nobody.stderr]).toEqual([1, expect.stringContaining('debtor, creditor')]);
    succeed('exceptions', 'revoke', asked!.exceptionId, '--reason', 'only a test', '--by', 'amara');
    expect(states()).toEqual(['revoked']);

    // A rejection ends the held one; nothing was ever sent for it.
    const [held] = holds();
    expect(held!.transferId).toBe(listed.account);
    const { seen } = json<{ seen: string }>('cases', 'show', held!.id);
    succeed(
      'cases',
      'decide',
      held!.id,
      '--reject',
      '--code',
      'TRUE_MATCH',
      '--reason',
      'it is her',
      '--evidence',
      seen,
      '--by',
      'amara',
    );
    await reaches(listed.account, 'REJECTED by PAYOUT_DISPATCH');
    expect(readFileSync(pipeline.ledgerFile, 'utf8')).not.toContain(listed.account);
  }, 900_000);

  it('is refused when it is a web page, or shrank, and what was in force stays', () => {
    const page = path.join(directory, 'sdn-page.csv');
    writeFileSync(page, '<!DOCTYPE html><html><body>503 Service Unavailable</body></html>\n');
    const short = path.join(directory, 'sdn-short.csv');
    writeFileSync(short, `${readFileSync(path.join(SAMPLE, 'sdn.csv'), 'utf8').split('\n').slice(0, 3).join('\n')}\n`);
    const before = json<unknown[]>('lists', 'show');
    for (const [file, code] of [
      [page, 'LIST_IS_HTML'],
      [short, 'LIST_SHRANK'],
    ] as const) {
      const { status, stderr } = corridor('lists', 'import', 'ofac', file, '--source', 'CORRIDOR', '--activate');
      expect(status).toBe(1);
      expect(stderr).toContain(code);
      expect(stderr).not.toContain('    at ');
    }
    expect(json<unknown[]>('lists', 'show')).toEqual(before);
  });
});

/** The two newest versions, the older one first. */
function versions(): readonly string[] {
  const shown = json<{ version: string }[]>('lists', 'show', '--limit', '2');
  return shown.map(({ version }) => version).toReversed();
}
