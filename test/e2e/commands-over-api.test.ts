// Every command for people that goes over the API, run at least once against one on real servers, as persons with tokens of their
// own: what it prints for people and for programs, what it does, and what it says to somebody who made a mistake.
// On servers of its own: lists and the inbox are looked at whole.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DEAD_LETTERS } from '../../adapters/mongo/dead-letters.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { ALL_GOOD, ASHA, BEN, OnCall, OTHERS, type Person, RUNNER, WAIT } from '../kit/on-call.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { expectNothingPlanted } from '../kit/planted.ts';

const VERA: Person = { name: 'vera', roles: ['viewer'] };
const CORA: Person = { name: 'cora', roles: ['compliance'] };
const ACME: Person = { name: 'acme', roles: ['producer'] };
const LONG_MS = 1_800_000;

const servers = useOwnStack('commands-over-api', { ephemeral: true });
let pipeline: TestPipeline;
let people: OnCall;
let dead: number;
const fed: FedRecord[] = [];
const secrets: string[] = [];

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  people = new OnCall(pipeline, servers.stateDir);
  await Promise.all([
    pipeline.startMore(OTHERS),
    people.startApi({ CORRIDOR_API_FACES: 'producers,operators', CORRIDOR_WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8' }),
  ]);
  // The first of a feed is always a good one.
  fed.push(...(await pipeline.feed(3, 5, { mix: { ...ALL_GOOD, held: 1_000 } })));
  const broken = await people.breakPricing(40, 1);
  ({ dead } = broken);
  fed.push(...broken.fed);
  await pipeline.startMore([[...RUNNER[0]!, '--audit']]);
}, LONG_MS);
afterAll(async () => {
  await people?.close();
  await pipeline?.close();
}, 120_000);

/** What it prints; it must have been done. */
async function said(who: Person, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await people.corridor(args, who);
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}
// biome-ignore lint/suspicious/noExplicitAny: what many commands print
const json = async (who: Person, ...args: string[]): Promise<any> => JSON.parse(await said(who, ...args, '--json'));
/** What it says to who made a mistake: a code, what to do, and nothing of the inside of the program. */
async function mistaken(who: Person, code: string, ...args: string[]): Promise<string> {
  const end = await people.corridor(args, who);
  expect(end.code, args.join(' ')).toBe(1);
  expect(end.stderr).toContain(code);
  expect(end.stderr).not.toMatch(/\n\s+at |node_modules/);
  return end.stderr;
}
/** What is shown of it once, without its prefix: that is in the documentation. */
const secretIn = (text: string): string => /whsec_(\S{40,})/.exec(text)![1]!;
const letter = async (at: number): Promise<string> => {
  const db = await pipeline.connections.db();
  const found = await db
    .collection<{ _id: string }>(DEAD_LETTERS)
    .find({ owner: 'fx-pricing' })
    .sort({ _id: 1 })
    .toArray();
  return found[at]!._id;
};

describe('commands over the API', () => {
  it(
    'say who asks, and what to do when nobody does or the person may not',
    async () => {
      expect(await json(ASHA, 'whoami')).toMatchObject([
        { name: 'asha', roles: 'operator', api: expect.stringMatching(/takes it$/) },
      ]);
      const nobody = await people.corridor(['dlq', 'groups'], undefined, {
        ...{ CORRIDOR_API_URL: String(people.api.ready['url']), XDG_CONFIG_HOME: servers.stateDir },
      });
      expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('corridor login')]);
      const forbidden = await mistaken(VERA, 'ACTION_FORBIDDEN', 'control', 'pause', 'corridor/GB-IN', '--reason', 'x');
      expect(forbidden).toContain('Ask for a role');
      await mistaken({ name: 'x', roles: [] }, 'ACTION_FORBIDDEN', 'dlq', 'groups');
    },
    LONG_MS,
  );

  it(
    'show dead letters, write on them, and have them tried',
    async () => {
      const { groupId } = await people.group();
      const table = await said(ASHA, 'dlq', 'groups');
      expect(table).toMatch(/^group +owner +code +letters +new +per hour +money/);
      expect(table).toContain(`${groupId}  fx-pricing`);
      expect(await json(ASHA, 'dlq', 'groups')).toMatchObject({ complete: true, items: [{ groupId, letters: dead }] });
      expect((await json(ASHA, 'dlq', 'list', '--group', groupId)).letters).toHaveLength(dead);
      const first = await letter(0);
      expect(await said(ASHA, 'dlq', 'list', '--letter', first, '--owner', 'fx-pricing')).toContain(first);
      expect(JSON.parse(await said(ASHA, 'dlq', 'show', first))).toMatchObject({
        letterId: first,
        state: 'PARKED',
        groupId,
      });
      expect(await said(ASHA, 'dlq', 'note', groupId, '--note', 'deploy of 02:10', '--assignee', 'asha')).toContain(
        'deploy of 02:10',
      );
      expect(await said(VERA, 'dlq', 'groups')).toContain('deploy of 02:10');
      expect(
        (await said(ASHA, 'dlq', 'export', '--group', groupId, '--format', 'csv')).trim().split('\n'),
      ).toHaveLength(dead + 1);
      expect(
        (await said(ASHA, 'dlq', 'export', '--owner', 'fx-pricing'))
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toHaveLength(dead);
      expect(await json(ASHA, 'dlq', 'check', '--owner', 'fx-pricing')).toMatchObject([
        { verdict: 'goes through', letters: dead },
      ]);
      expect(await said(ASHA, 'dlq', 'check', '--group', groupId)).toMatch(/goes through +GOES_ON/);
      await mistaken(ASHA, 'LETTER_UNKNOWN', 'dlq', 'show', 'nothing');
      await mistaken(VERA, 'ACTION_FORBIDDEN', 'dlq', 'note', groupId, '--note', 'x');
    },
    LONG_MS,
  );

  it(
    'replay, discard and edit them as two persons, who see count, money and what would be done',
    async () => {
      const { groupId } = await people.group();
      const ask = ['dlq', 'replay', '--group', groupId, '--reason', 'mended', '--rate', '50', '--canary', '2'];
      expect(await mistaken(ASHA, 'OPTION_MISSING', ...ask)).toContain('--letters');
      expect(await mistaken(ASHA, 'EVIDENCE_CHANGED', ...ask, '--letters', String(dead + 1))).toContain(
        `it is about ${dead}`,
      );
      // Both gave the letters back.
      await vi.waitUntil(async () => (await people.parked()) === dead, WAIT);
      const asked = await said(ASHA, ...ask, '--letters', String(dead));
      expect(asked).toMatch(new RegExp(`letters +${dead} of fx-pricing, to fx-pricing\\.replay`));
      expect(asked).toMatch(/money +[\d,.]+ [A-Z]{3}/);
      expect(asked).toMatch(/rate +50 a second after a canary of 2/);
      const [, id] = /dlq approve (\S+)/.exec(asked)!;
      expect(await json(VERA, 'dlq', 'replays', 'list')).toMatchObject(
        expect.arrayContaining([expect.objectContaining({ replayId: id })]),
      );
      expect(await said(VERA, 'dlq', 'replays', 'list')).toContain(id);
      const { replay } = await json(BEN, 'dlq', 'replays', 'show', id!);
      expect(await said(BEN, 'approvals', 'show', replay.approvalId)).toContain(`replay ${dead} dead letters`);
      await mistaken(ASHA, 'ACTION_FORBIDDEN', 'dlq', 'approve', id!, '--letters', String(dead), '--reason', 'me');
      expect(await said(BEN, 'dlq', 'refuse', id!, '--letters', String(dead), '--reason', 'not yet')).toContain(
        'REFUSED by ben',
      );
      await vi.waitUntil(async () => (await people.parked()) === dead, WAIT);

      // One is ended for good.
      const [first, second] = [await letter(0), await letter(1)];
      const discarded = await said(
        ASHA,
        'dlq',
        'discard',
        '--letter',
        first,
        '--reason',
        'closed',
        '--reason-code',
        'AC04',
        '--letters',
        '1',
      );
      expect(discarded).toContain('to be ended for good, reason AC04');
      const [, discardId] = /dlq approve (\S+)/.exec(discarded)!;
      expect(await said(BEN, 'dlq', 'approve', discardId!, '--letters', '1', '--reason', 'seen')).toContain(
        'APPROVED by ben',
      );
      await vi.waitUntil(async () => (await people.transfersIn('REJECTED')) === 1, WAIT);

      // One is changed: what is locked is refused, and another person has to see the rest.
      const patch = path.join(servers.stateDir, 'patch.json');
      const edit = ['dlq', 'edit', second, '--patch', patch, '--reason', 'asked the producer', '--letters', '1'];
      writeFileSync(patch, JSON.stringify([{ op: 'replace', path: '/instructedAmount/minor', value: '1' }]));
      await mistaken(ASHA, 'EDIT_LOCKED', ...edit);
      writeFileSync(
        patch,
        JSON.stringify([{ op: 'replace', path: '/parties/remittanceInformation', value: 'Invoice 4711' }]),
      );
      await vi.waitUntil(async () => (await people.parked()) === dead - 1, WAIT);
      const edited = await said(ASHA, ...edit);
      expect(edited).toContain('/parties/remittanceInformation');
      const [, editId] = /dlq approve (\S+)/.exec(edited)!;
      for (const verb of ['pause', 'slow', 'resume'])
        expect(
          (await people.corridor(['dlq', 'replays', verb, editId!, ...(verb === 'slow' ? ['--rate', '1'] : [])], ASHA))
            .stderr,
        ).not.toMatch(/\n\s+at /);
      expect(await said(ASHA, 'dlq', 'replays', 'cancel', editId!)).toContain('CANCELLED');
      await vi.waitUntil(async () => (await people.parked()) === dead - 1, WAIT);
      await mistaken(ASHA, 'REPLAY_UNKNOWN', 'dlq', 'replays', 'show', 'nothing');
      expect(await json(ASHA, 'dlq', 'skips')).toEqual([]);
      const skip = await people.corridor(
        ['dlq', 'skip', 'limits', '--topic', 'transfer.priced', '--partition', '0'],
        ASHA,
      );
      expect(skip.stdout + skip.stderr).toMatch(/--offset|SKIP_/);
    },
    LONG_MS,
  );

  it(
    'work on cases',
    async () => {
      const { items } = await vi.waitUntil(async () => {
        const page = await json(CORA, 'cases', 'list');
        return page.items.length === 2 ? page : undefined;
      }, WAIT);
      const [one, other] = items.map(({ caseId }: { caseId: string }) => caseId) as [string, string];
      expect(await said(ASHA, 'cases', 'list')).toMatch(/2 open cases: [\d,.]+ [A-Z]{3}/);
      expect(await said(ASHA, 'cases', 'assign', one)).toContain('is assigned to asha');
      expect(
        (await json(CORA, 'cases', 'list', '--unassigned')).items.map(({ caseId }: { caseId: string }) => caseId),
      ).toEqual([other]);
      expect(await said(ASHA, 'cases', 'release', one)).toContain("is nobody's");
      expect(await said(ASHA, 'cases', 'note', one, '--text', 'asked the bank, answer by noon')).toContain('noted');
      expect(await said(CORA, 'cases', 'show', one)).toMatch(/Note of asha at \S+: asked the bank, answer by noon/);
      expect(await said(CORA, 'cases', 'show', one)).toMatch(/resembles CORRIDOR:[\s\S]*To reject: --code/);
      const reject = ['cases', 'decide', one, '--reject', '--code', 'TRUE_MATCH', '--reason', 'the same person'];
      expect(await mistaken(CORA, 'OPTION_MISSING', ...reject)).toContain('--evidence');
      await mistaken(CORA, 'PRECONDITION_FAILED', ...reject, '--evidence', '"open.another"');
      const { seen } = await json(CORA, 'cases', 'show', one);
      expect(await said(CORA, ...reject, '--evidence', seen)).toContain(one);
      await vi.waitUntil(async () => (await people.transfersIn('REJECTED')) === 2, WAIT);
      await mistaken(CORA, 'CASE_UNKNOWN', 'cases', 'show', 'nothing');
    },
    LONG_MS,
  );

  it(
    'pause, and go on as two persons, or alone under a broken glass',
    async () => {
      const target = 'corridor/GB-IN';
      expect(await said(ASHA, 'control', 'pause', target, '--reason', 'wrong rate')).toContain('PAUSED corridor/gb-in');
      expect(await said(VERA, 'control', 'show')).toMatch(/corridor\/gb-in +PAUSED .*asha/);
      const resume = async () =>
        /approvals approve (\S+)/.exec(await said(ASHA, 'control', 'resume', target, '--reason', 'mended'))![1]!;
      const approval = await resume();
      expect(await said(BEN, 'approvals', 'list')).toContain(approval);
      const { hash } = await json(BEN, 'approvals', 'show', approval);
      expect(await mistaken(BEN, 'OPTION_MISSING', 'approvals', 'approve', approval, '--reason', 'looked')).toContain(
        'terminal',
      );
      expect(await said(BEN, 'approvals', 'refuse', approval, '--reason', 'not yet', '--hash', hash)).toContain(
        'REFUSED by ben',
      );
      const second = await resume();
      expect(await said(ASHA, 'approvals', 'withdraw', second)).toContain('WITHDRAWN');
      const third = await resume();
      const seen = (await json(BEN, 'approvals', 'show', third)).hash;
      expect(await said(BEN, 'approvals', 'approve', third, '--reason', 'looked', '--hash', seen)).toContain(
        'EXECUTED by ben',
      );
      expect(await json(VERA, 'control', 'show')).toEqual([]);
      expect(await said(VERA, 'control', 'show', '--all')).toContain('RUNNING');

      await said(ASHA, 'control', 'pause', target, '--reason', 'wrong again');
      const opened = await said(ASHA, 'break-glass', 'open', '--minutes', '5', '--reason', 'alone on call');
      const [, glass] = /--glass (\S+)/.exec(opened)!;
      const alone = await resume();
      const own = (await json(ASHA, 'approvals', 'show', alone)).hash;
      expect(
        await said(ASHA, 'approvals', 'approve', alone, '--glass', glass!, '--reason', 'nobody answers', '--hash', own),
      ).toContain('EXECUTED');
      expect(await said(VERA, 'break-glass', 'list')).toMatch(new RegExp(`${glass}.*OPEN|OPEN.*${glass}|${glass}`));
      await mistaken(
        { name: 'asha', roles: ['approver'] },
        'SECOND_PERSON_NEEDED',
        'break-glass',
        'review',
        glass!,
        '--text',
        'me',
      );
      await said(BEN, 'break-glass', 'review', glass!, '--text', 'one resumption');
      await mistaken(ASHA, 'CONTROL_TARGET_INVALID', 'control', 'pause', 'corridor/XX-YY', '--reason', 'x');
      await mistaken(ASHA, 'CONTROL_NOT_PAUSED', 'control', 'resume', target, '--reason', 'x');
    },
    LONG_MS,
  );

  it(
    'show the audit log, and what stands still',
    async () => {
      const listed = await vi.waitUntil(async () => {
        const table = await said(BEN, 'audit', 'list', '--action', 'control.pause');
        return table.includes('control.pause') ? table : undefined;
      }, WAIT);
      expect(listed).toContain('asha');
      const page = await json(BEN, 'audit', 'list', '--limit', '5');
      const entry = (page.items ?? page.entries ?? page)[0];
      expect(await said(BEN, 'audit', 'show', entry.entryId ?? entry.entry.entryId)).not.toBe('');
      expect(await said(BEN, 'audit', 'checkpoint')).toMatch(/\n— /);
      await mistaken(VERA, 'ACTION_FORBIDDEN', 'audit', 'list');
      expect(await said(VERA, 'stuck', '--kind', 'DEAD_LETTER')).toContain('DEAD_LETTER');
      expect(await said(VERA, 'transfers', 'list', '--state', 'COMPLETED')).toContain('COMPLETED');
      expect(await people.corridor(['payouts', 'list', '--phase', 'OUTCOME_UNKNOWN'], VERA)).toMatchObject({ code: 0 });
      // Two: something does not run as it should, or is overdue; nothing is wrong with the command.
      expect([0, 2]).toContain((await people.corridor(['status'], VERA)).code);
    },
    LONG_MS,
  );

  it(
    'register webhooks, change, stop and delete them',
    async () => {
      const made = await said(
        ACME,
        'webhooks',
        'register',
        'https://127.0.0.1:9/hook',
        '--events',
        'transfer.completed',
      );
      const [, id] = /endpoint +(\S+) of acme/.exec(made)!;
      expect(made).toMatch(/shown this once:\nwhsec_/);
      secrets.push(secretIn(made));
      expect(await said(ASHA, 'webhooks', 'list')).toContain(id);
      expect(await json(ASHA, 'webhooks', 'show', id!)).toMatchObject({ endpointId: id, producer: 'acme' });
      expect(await said(ACME, 'webhooks', 'update', id!, '--events', 'transfer.completed,transfer.rejected')).toContain(
        'transfer.rejected',
      );
      secrets.push(secretIn(await said(ACME, 'webhooks', 'rotate-secret', id!, '--keep-hours', '0')));
      expect(await said(ASHA, 'webhooks', 'disable', id!, '--reason', 'floods its network')).toContain(
        'floods its network',
      );
      expect(await said(ACME, 'webhooks', 'enable', id!)).toContain('enabled');
      expect(await json(ACME, 'webhooks', 'deliveries', id!)).toEqual([]);
      expect(await said(ACME, 'webhooks', 'resend', id!, '--from', '2026-11-30T06:00:00Z')).toContain('0 deliveries');
      expect(await mistaken(ACME, 'OPTION_MISSING', 'webhooks', 'delete', id!)).toContain('--yes');
      expect(await said(ACME, 'webhooks', 'delete', id!, '--yes')).toContain('It is gone');
      await mistaken(ACME, 'WEBHOOK_ENDPOINT_UNKNOWN', 'webhooks', 'show', id!);
      await mistaken(ACME, 'WEBHOOK_URL_REFUSED', 'webhooks', 'register', 'http://169.254.169.254/hook');
    },
    LONG_MS,
  );

  it(
    'have named nobody, and told no secret, in logs, metrics, the audit log and what others were answered',
    async () => {
      expect(secrets).toHaveLength(2);
      await expectNothingPlanted(pipeline, people, { fed, secrets });
    },
    LONG_MS,
  );
});
