// Every command over the API, against the API itself: what it asks for, and what a person reads.
import { describe, expect, it } from 'vitest';
import { transferDocument } from '../../api/testing/api.ts';
import { payoutOf } from '../../operations/cases/inbox/testing/world.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { AT } from '../../test/kit/builders.ts';
import { useRemoteCommands } from './testing/commands.ts';

const remote = useRemoteCommands();
const { as } = remote;

const approvalIn = (text: string) => /approvals approve (\S+)/.exec(text)![1]!;

/** Another person lets it through. */
async function approve(id: string, name = 'ben'): Promise<string> {
  const { hash } = remote.memory.approvals.all.get(id)!;
  return as(name, 'approver', 'approvals', 'approve', id, '--reason', 'looked at it', '--hash', hash);
}

describe('commands over the API', () => {
  it('tell what stands still and how it stands', async () => {
    remote.memory.desks.payouts.push({
      payoutId: 'transfer-p',
      changedAt: new Date(AT),
      payout: payoutOf('transfer-p'),
    });
    const stuck = await as('vera', 'viewer', 'stuck', '--kind', 'hold,payout_unknown');
    expect(stuck).toMatch(/PAYOUT_UNKNOWN +payout-executor/);
    expect(stuck).toContain('3 transfers are stuck: ');
    expect(await as('vera', 'viewer', 'stuck')).toContain('Not proven');
    const status = await as('root', 'admin', 'status');
    expect(status).toMatch(/http:\/\/chain\.test:9464 +yes/);
    expect(status).toContain('Problems: none');
    expect(process.exitCode).toBe(0);
    remote.memory.outage = new Error('a bug');
    await expect(as('root', 'admin', 'status')).rejects.toMatchObject({ code: 'UNEXPECTED_ERROR' });
  });

  it('say so when a list is cut, also beside JSON', async () => {
    const asked = { token: 'customer-1', entity: (await loadSampleList()).entities[0]!.id };
    for (const days of ['10', '20'])
      await as(
        'carol',
        'compliance',
        'exceptions',
        'add',
        '--token',
        asked.token,
        '--entity',
        asked.entity,
        '--days',
        days,
        '--reason',
        'x',
      );
    const listed = (...more: string[]) => as('carol', 'compliance', 'exceptions', 'list', ...more);
    expect(await listed()).not.toContain('Not complete');
    for (const more of [[], ['--json']])
      expect(await listed('--limit', '1', ...more)).toContain('Not complete: there are more than these 1.');
    const [approval] = [...remote.memory.approvals.all.values()];
    for (let n = 0; n < 101; n++) remote.memory.approvals.all.set(`a-${n}`, { ...approval!, _id: `a-${n}` });
    expect(await as('vera', 'viewer', 'approvals', 'list')).toContain('Not complete: there are more than these 100.');
  });

  it('give a program what it decides on: `seen` of the case', async () => {
    const { _id: id } = [...remote.memory.cases.holds.values()].find(({ stage }) => stage === 'SCREENING')!;
    const decide = (seen: string) =>
      as(
        'carol',
        'compliance',
        'cases',
        'decide',
        id,
        '--reject',
        '--code',
        'TRUE_MATCH',
        '--reason',
        'x',
        '--evidence',
        seen,
      );
    await expect(decide('"open.another"')).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    const { seen } = JSON.parse(await as('carol', 'compliance', 'cases', 'show', id, '--json')) as { seen: string };
    expect(await decide(seen)).toMatch(new RegExp(`${id} +.*REJECT`));
  });

  it('decide what is alike by what a program has seen of them all', async () => {
    const { _id: id } = [...remote.memory.cases.holds.values()].find(({ stage }) => stage === 'SCREENING')!;
    const { hold, seen } = JSON.parse(await as('carol', 'compliance', 'cases', 'show', id, '--json')) as {
      readonly hold: { readonly alike: { readonly seen: string } };
      readonly seen: string;
    };
    const why = ['--code', 'OTHER_NAME', '--reason', 'x', '--approve', '--alike'];
    const decide = (evidence: string) =>
      as('carol', 'compliance', 'cases', 'decide', id, ...why, '--evidence', evidence);
    await expect(decide(seen)).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    expect(await decide(hold.alike.seen)).toMatch(new RegExp(`${id} +.*APPROVE`));
  });

  it('list transfers and payouts with their sums', async () => {
    remote.memory.transfers.push(transferDocument({ debitMinor: 500n }));
    expect(await as('vera', 'viewer', 'transfers', 'list', '--older-than', '1d')).toContain('1 transfer: 5.00 GBP');
    remote.memory.desks.payouts.push({
      payoutId: 'transfer-p',
      changedAt: new Date(AT),
      payout: payoutOf('transfer-p'),
    });
    expect(await as('asha', 'operator', 'payouts', 'list')).toMatch(/OUTCOME_UNKNOWN: 1 payout: .*GBP/);
    await expect(as('asha', 'operator', 'payouts', 'cases', 'list')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('tell what is used of limits, and end with 2 where less is counted than was used', async () => {
    const token = 'T'.repeat(43);
    remote.memory.transfers.push(transferDocument({ debtorToken: token, creditorToken: token }));
    const shown = await as('asha', 'operator', 'limits', 'show', 'transfer', 'transfer-0001');
    expect(shown).toMatch(/rule +above +used +limit +left/);
    expect(shown).toContain('the sender has used 0.00 GBP; 1000.00 GBP are left.');
    expect(shown).toContain('No rule in force limits it.');
    const pair = JSON.parse(await as('asha', 'operator', 'limits', 'show', 'pair', token, token, '--json')) as object;
    expect(pair).toMatchObject([{ subject: { kind: 'pair', id: `${token}.${token}` }, items: [], complete: true }]);
    expect(process.exitCode).toBe(0);
    remote.memory.limits.notes = { short: [{ ruleId: 'day-gbp', until: null }], isCaughtUp: true };
    expect(await as('asha', 'operator', 'limits', 'show', 'sender', token)).toContain('is it the right one?');
    expect(process.exitCode).toBe(2);
    process.exitCode = 0;
    const wrong = as('asha', 'operator', 'limits', 'show', 'sender', 'customer-1');
    await expect(wrong).rejects.toMatchObject({ code: 'LIMIT_SUBJECT_INVALID' });
    await expect(as('asha', 'operator', 'limits', 'show', 'sender', token, token)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    await expect(as('asha', 'operator', 'limits', 'audit')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('have a record skipped', async () => {
    const place = ['limits', '--topic', 'transfer.priced', '--partition', '3'];
    expect(await as('asha', 'operator', 'dlq', 'skip', ...place)).toContain('say --offset 4711 and --reason');
    const asked = await as('asha', 'operator', 'dlq', 'skip', ...place, '--offset', '4711', '--reason', 'INC-1');
    expect(await approve(approvalIn(asked))).toContain('APPROVED by ben');
    expect(await as('vera', 'viewer', 'dlq', 'skips')).toMatch(/APPROVED +asha/);
  });

  it('pause, resume, and let through alone under a broken glass that another reviews', async () => {
    const target = ['corridor/GB-IN', '--reason', 'mended'];
    expect(await as('asha', 'operator', 'control', 'pause', ...target)).toContain('PAUSED corridor/gb-in');
    const asked = approvalIn(await as('asha', 'operator', 'control', 'resume', ...target));
    const broken = await as('asha', 'operator', 'break-glass', 'open', '--reason', 'alone', '--minutes', '5');
    const glass = /--glass (\S+)/.exec(broken)![1]!;
    // Whoever looks at the inbox sees both.
    const inbox = await as('ben', 'approver', 'cases', 'list');
    expect(inbox).toContain('1 acts wait for a second person: corridor approvals list');
    expect(inbox).toContain(`REVIEW the glass that asha broke (alone): corridor break-glass review ${glass}`);
    expect(JSON.parse(await as('ben', 'approver', 'cases', 'list', '--json'))).toMatchObject({
      ...{ approvals: [{ approvalId: asked }], reviews: [{ id: glass, by: 'asha' }], complete: true },
    });
    const { hash } = remote.memory.approvals.all.get(asked)!;
    const alone = ['approvals', 'approve', asked, '--reason', 'cut-off', '--glass', glass, '--hash', hash];
    expect(await as('asha', 'operator', ...alone)).toContain('EXECUTED by asha');
    expect(await as('asha', 'operator', 'control', 'show')).toBe('(nothing)');
    expect(await as('ben', 'approver', 'break-glass', 'list')).toMatch(/control\.resume .* EXECUTED +OPEN/);
    const review = ['break-glass', 'review', glass, '--text', 'one resumption'];
    await expect(as('asha', 'approver', ...review)).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    expect(await as('ben', 'approver', ...review)).toContain('REVIEWED');
  });

  it('show and compare lists, and put one in force', async () => {
    const [{ versionId }] = JSON.parse(await as('vera', 'viewer', 'lists', 'show', '--json'));
    expect(await as('vera', 'viewer', 'lists', 'show', versionId)).toContain(`in force now: ${versionId}`);
    expect(await as('vera', 'viewer', 'lists', 'diff', versionId, versionId)).toBe('+0 / -0 / 0 changed');
    const activated = await as('carol', 'compliance', 'lists', 'activate', versionId, '--reason', 'told again');
    expect(activated).toBe(`${versionId} was in force already`);
    const sample = await loadSampleList();
    const counts = { entities: 1, names: 1 };
    const small = { ...sample, entities: sample.entities.slice(0, 1), counts, entitiesHash: 'f'.repeat(64) };
    await remote.memory.desks.lists.save({ ...small, publicationDate: '2026-11-30' }, 'carol', AT);
    const [{ versionId: newest }] = JSON.parse(await as('vera', 'viewer', 'lists', 'show', '--json'));
    const asked = await as('carol', 'compliance', 'lists', 'activate', newest, '--reason', 'as published');
    expect(asked).toContain('one person alone may not');
    expect(await approve(approvalIn(asked))).toContain('EXECUTED by ben');
  });

  it('ask for an exception, and end it', async () => {
    const entity = (await loadSampleList()).entities[0]!.id;
    const add = ['exceptions', 'add', '--entity', entity, '--token', 'customer-1', '--days', '9', '--reason', 'older'];
    expect(await approve(approvalIn(await as('carol', 'compliance', ...add)))).toContain('EXECUTED by ben');
    const [{ exceptionId }] = JSON.parse(await as('asha', 'operator', 'exceptions', 'list', '--json'));
    expect(await as('asha', 'operator', 'exceptions', 'revoke', exceptionId, '--reason', 'wrong')).toContain(
      'is revoked',
    );
    expect(await as('asha', 'operator', 'exceptions', 'list')).toContain('REVOKED');
  });

  it('read the audit log', async () => {
    const listed = await as('carol', 'compliance', 'audit', 'list', '--subject', 'asha', '--on', 'cases/case-4');
    expect(listed).toMatch(/4 +.*asha +token +cases\.decide +cases\/case-4 +done/);
    expect(await as('carol', 'compliance', 'audit', 'show', '2')).toMatch(/objectId +case-2/);
    await expect(as('carol', 'compliance', 'audit', 'verify')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(as('asha', 'operator', 'audit', 'list')).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
  });
});
