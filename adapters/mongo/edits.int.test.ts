// Edits of dead letters over a real database: each letter is sent once as it was approved, wherever the sender dies, and what is
// changed afterwards voids the approval.
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { editLetter, shownEdits } from '../../operations/dead-letters/edits/edit-letter.ts';
import {
  askForReplay,
  DEFAULT_TERMS,
  dryRunReplay,
  findReplay,
  freezeReplay,
} from '../../operations/dead-letters/replays/prepare.ts';
import { selectionHash } from '../../operations/dead-letters/replays/replay.ts';
import type { ReplayRunner } from '../../operations/dead-letters/replays/run.ts';
import { ringOf } from '../../ports/seals.ts';
import { editText } from '../../processors/edits.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { dryRunner, OWNER, replayWorld, TARGET } from '../../test/kit/replay-world.ts';
import { testRings } from '../../test/kit/rings.ts';
import { payoutKeys, transfersNow } from './transfers-now.ts';

const PATH = '/parties/remittanceInformation';
const TERMS = { ...DEFAULT_TERMS, ratePerSecond: 1_000 };
let client: MongoClient;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
});
afterAll(async () => {
  await client.close();
});

const textOf = (id: string) => editText([{ path: PATH, value: `edited ${id.slice(0, 8)}` }]);

describe('letters that are edited', () => {
  it.each(['before', 'after'] as const)(
    'are sent once as they were approved, by senders that die %s the commit',
    async (point) => {
      const here = await replayWorld(client, 40);
      const some = new Set(here.ids.filter((_, n) => n % 3 === 0));
      const id = await here.approved(TERMS, undefined, (letter) => (some.has(letter) ? textOf(letter) : undefined));
      let deaths = 0;
      const dying = (name: string): ReplayRunner =>
        here.runner(name, {
          onSend: (when) => {
            if (when === point && deaths++ < 4) throw new Error('it dies here');
          },
        });
      for (let n = 0; n < 6; n++) {
        await here.run(dying(`runner-${n}`), undefined, 4);
        here.clock.advance(30_000);
      }
      expect(deaths).toBeGreaterThanOrEqual(4);
      expect(await findReplay(here.stores.replays, id)).toMatchObject({
        state: 'ENDED',
        letters: 40,
        edited: some.size,
      });
      expect(here.sent().toSorted()).toEqual(here.ids.toSorted());
      for (const { headers } of here.log.all(TARGET)) {
        const letter = headers['dlq-id']!.toString();
        expect(headers['replay-edit']?.toString()).toBe(some.has(letter) ? textOf(letter) : undefined);
      }
    },
  );

  it.each([
    ['another edit', 'other'],
    ['none', null],
  ] as const)('and then have %s in the database are not sent: what was approved is void', async (_, to) => {
    const here = await replayWorld(client, 4);
    const [edited] = here.ids;
    const id = await here.approved(TERMS, undefined, (letter) => (letter === edited ? textOf(letter) : undefined));
    const edit = to && { text: editText([{ path: PATH, value: to }]), by: 'asha', at: new Date(0) };
    await here.stores.replays.edit(`${id}/${edited}`, edit);
    await here.run(here.runner('one'), undefined, 8);
    const replay = await findReplay(here.stores.replays, id);
    expect(replay).toMatchObject({ state: 'CANCELLED', halted: { code: 'APPROVAL_VOID' } });
    expect(here.sent()).toEqual([]);
    await expect(shownEdits({ ...here.stores, codec: memoryCodec() }, replay, 'full')).rejects.toMatchObject({
      code: 'EVIDENCE_CHANGED',
    });
    // The letters are parked again, as they were.
    expect(await here.states()).toEqual({ PARKED: 4 });
  });

  it('while they are being sent are sent as they were approved, or not at all', async () => {
    const here = await replayWorld(client, 4);
    const [edited] = here.ids;
    const id = await here.approved(TERMS, undefined, (letter) => (letter === edited ? textOf(letter) : undefined));
    const runner = here.runner('one', {
      onSend: async (when) => {
        if (when === 'before') return;
        const edit = { text: editText([{ path: PATH, value: 'other' }]), by: 'mallory', at: new Date(0) };
        for (const letter of here.ids) await here.stores.replays.edit(`${id}/${letter}`, edit);
      },
    });
    await here.run(runner, undefined, 12);
    for (const { headers } of here.log.all(TARGET)) {
      const text = headers['replay-edit']?.toString();
      expect([undefined, textOf(edited!)]).toContain(text);
    }
  });

  it('cannot be tried as long as an edit was begun and not written', async () => {
    const here = await replayWorld(client, 2);
    const at = new Date(here.clock.now());
    const freezing = { id: 'half', owner: OWNER, filter: {}, terms: TERMS, by: 'asha', reason: 'x', at };
    const replay = await freezeReplay(here.stores, freezing);
    const items = await here.stores.replays.items('half', {}, 10);
    const edit = { text: textOf('x'), by: 'asha', at };
    const half = selectionHash(
      OWNER,
      items.map((item, n) => (n === 0 ? { ...item, edit } : item)),
    );
    await here.stores.replays.change(replay, { selectionHash: half, edited: 1 });
    const trial = {
      runner: dryRunner,
      transfers: transfersNow(here.db, 'transfers', 'events', payoutKeys(testRings)),
      rings: testRings,
    };
    const tried = dryRunReplay(here.stores, trial, { id: 'half', by: 'asha', at });
    await expect(tried).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
    await expect(askForReplay(here.stores, { id: 'half', at }, ringOf(testRings, 'operators'))).rejects.toMatchObject({
      code: 'DRY_RUN_MISSING',
    });
  });

  it('are those of a frozen replay alone, and of what decodes', async () => {
    const here = await replayWorld(client, 2);
    const id = await here.approved();
    const parts = { ...here.stores, codec: memoryCodec() };
    const patch = [{ op: 'replace', path: PATH, value: 'x' }] as const;
    const editing = { id, letterId: here.ids[0]!, patch, by: 'asha', at: new Date(here.clock.now()) };
    await expect(editLetter(parts, editing)).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
    const other = await replayWorld(client, 1);
    const freezing = { id: 'f', owner: OWNER, filter: {}, terms: TERMS, by: 'asha', reason: 'x', at: editing.at };
    await freezeReplay(other.stores, freezing);
    const of = { ...editing, id: 'f', letterId: other.ids[0]! };
    await expect(editLetter({ ...other.stores, codec: memoryCodec() }, of)).rejects.toMatchObject({
      code: 'LETTER_NOT_EDITABLE',
    });
  });
});
