// Every command either only looks or leaves its entries in the audit log: one that is in neither list fails here.
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { EntryLog } from '../../operations/audit/entry-log.ts';
import { type FakeAudit, fakeAudit } from '../../operations/audit/testing/fake-audit.ts';
import { CodedError } from '../../ports/fault.ts';
import { COMMANDS } from '../registry.ts';
import { beginAudited, COMMAND_ACTS, COMMAND_LOOKS, ONLY_OVER_API, reportResult, wordsOf } from './acts.ts';

/** Those that do something by themselves: a group may, too. */
function leavesOf(command: Command): readonly Command[] {
  const acts = (command as unknown as { readonly _actionHandler: unknown })._actionHandler;
  return [...(acts ? [command] : []), ...command.commands.flatMap(leavesOf)];
}

async function allLeaves(): Promise<readonly Command[]> {
  const program = new Command('corridor');
  for (const register of new Set(await Promise.all(Object.values(COMMANDS).map((load) => load())))) register(program);
  return leavesOf(program).filter((leaf) => !ONLY_OVER_API.has(wordsOf(leaf).split(' ')[0]!));
}

const opened = (audit: FakeAudit) => async () =>
  ({ ...audit, close: async () => true, end: async () => undefined }) as unknown as EntryLog & { end(): Promise<void> };

/** The command with values for all that it must be given, as `run` leaves it. */
async function typed(words: string, more: readonly string[] = []): Promise<Command> {
  const program = new Command('corridor').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const register of new Set(await Promise.all(Object.values(COMMANDS).map((load) => load())))) register(program);
  const leaf = leavesOf(program).find((each) => wordsOf(each) === words)!;
  leaf.action(() => undefined).exitOverride();
  const args = leaf.registeredArguments.map(() => '1');
  const options = leaf.options
    .filter((option) => option.mandatory && option.defaultValue === undefined)
    .flatMap((option) => [option.long!, option.argChoices?.[0] ?? '1']);
  await program.parseAsync([...words.split(' '), ...args, ...options, ...more], { from: 'user' });
  return leaf;
}

describe('every command', () => {
  it('is in one of the two lists, and nothing else is', async () => {
    const words = (await allLeaves()).map(wordsOf);
    expect(words.filter((each) => !(each in COMMAND_ACTS) && !COMMAND_LOOKS.has(each))).toEqual([]);
    expect(words.filter((each) => each in COMMAND_ACTS && COMMAND_LOOKS.has(each))).toEqual([]);
    expect([...Object.keys(COMMAND_ACTS), ...COMMAND_LOOKS].filter((each) => !words.includes(each))).toEqual([]);
  });

  it.each(Object.entries(COMMAND_ACTS))(
    '`%s` leaves an entry before it acts and one of what came of it',
    async (words, terms) => {
      const { only, shows, action, kind } = terms;
      const value = only === 'unmask' ? ['INCIDENT'] : only === 'offset' ? ['1'] : [];
      const command = await typed(words, only === undefined ? [] : [`--${only}`, ...value]);
      const audit = fakeAudit();
      const audited = await beginAudited(command, opened(audit));
      expect(audit.entries).toHaveLength(1);
      const [first] = audit.entries;
      expect(first).toMatchObject({
        action,
        objectKind: kind,
        credential: 'CLAIMED',
        outcome: shows ? 'VIEWED' : 'ALLOWED',
      });
      expect(first!.subject).toBeTruthy();
      if (shows) {
        expect(first!.reasonCode).toBe(shows === 'always' ? 'CASE_WORK' : 'INCIDENT');
        return;
      }
      reportResult({
        on: { kind, id: 'x-1', isKnown: true },
        items: [{ on: { kind, id: 'x-2', isKnown: true }, outcome: 'DONE' }],
      });
      await audited!.done();
      expect(audit.entries.slice(1).map(({ outcome, objectId, partOf }) => [outcome, objectId, partOf])).toEqual([
        ['DONE', 'x-1', first!.entryId],
        ['DONE', 'x-2', first!.entryId],
      ]);
      const failing = fakeAudit();
      await (await beginAudited(command, opened(failing)))!.failed(
        new CodedError('REPLAY_MOVED', 'a text with a name'),
      );
      expect(failing.entries[1]).toMatchObject({ outcome: 'FAILED', reasonCode: 'REPLAY_MOVED' });
      expect(JSON.stringify(failing.entries)).not.toContain('a text');
    },
  );

  it.each(Object.entries(COMMAND_ACTS))(
    '`%s` is not done where no entry can be written, unless it makes the log',
    async (words, terms) => {
      const { only, isProvisioning } = terms;
      const value = only === 'unmask' ? ['INCIDENT'] : only === 'offset' ? ['1'] : [];
      const command = await typed(words, only === undefined ? [] : [`--${only}`, ...value]);
      const audit = fakeAudit();
      audit.isDown = true;
      const begun = beginAudited(command, opened(audit));
      if (isProvisioning) await expect(begun).resolves.toBeUndefined();
      else await expect(begun).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    },
  );

  it('that only looks writes nothing, nor does an act that was not asked for', async () => {
    const never = async () => {
      throw new Error('the log is not opened');
    };
    for (const words of ['dlq groups', 'status', 'dlq replays show', 'dlq skip', 'topics resume', 'explain']) {
      await expect(beginAudited(await typed(words), never)).resolves.toBeUndefined();
    }
  });

  it('that shows a record unmasked says why, by one of the reasons', async () => {
    const audit = fakeAudit();
    const asked = beginAudited(await typed('explain', ['--unmask', 'CURIOSITY']), opened(audit));
    await expect(asked).rejects.toMatchObject({ code: 'LOOK_REASON_INVALID' });
    const ticket = beginAudited(
      await typed('explain', ['--unmask', 'INCIDENT', '--ticket', 'Ada Example']),
      opened(audit),
    );
    await expect(ticket).rejects.toMatchObject({ code: 'TICKET_INVALID' });
    expect(audit.entries).toEqual([]);
  });
});
