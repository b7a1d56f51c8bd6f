// Positions by id and by name, topics that were made again, and replays: what verification takes for the same, and what not.
import { describe, expect, it } from 'vitest';
import { formatCause, sourceOf } from '../runtime/cause.ts';
import { deadLetterId } from '../runtime/detours.ts';
import { HEADER, RECOVERY_HEADER } from '../runtime/headers.ts';
import { ENDINGS, History } from './testing/history.ts';
import { AT_ONCE, entryOf, verified } from './testing/plant.ts';
import { verify } from './verify.ts';

const INPUTS = 'transfer.requested';
const ID = '0123456789abcdef0123456789abcdef';
const LATER = 'fedcba9876543210fedcba9876543210';

function told(inputTopicId: string) {
  const history = new History({ inputTopicId });
  for (const ending of ENDINGS) history.tell(ending);
  return history.fillStores();
}

describe('positions', () => {
  it.each([
    ['by the id of the topic', ID],
    ['by its name, as before', INPUTS],
  ])('%s verify', async (_, inputTopicId) => {
    const sources = told(inputTopicId).sources();
    sources.fixed.topicIds.set(INPUTS, ID);
    expect((await verify(sources, AT_ONCE)).findings).toEqual([]);
  });

  it('of claims by name and of events by id are the same', async () => {
    const history = told(ID);
    for (const transferId of new Set(history.entries.map(({ key }) => key))) {
      const [claim] = await history.stores.intentClaims.find([transferId]);
      if (claim)
        history.stores.intentClaims.put({ ...claim, originPosition: claim.originPosition.replace(ID, INPUTS) });
    }
    const sources = history.sources();
    sources.fixed.topicIds.set(INPUTS, ID);
    expect((await verify(sources, AT_ONCE)).findings).toEqual([]);
  });

  it('of a topic that is there no more are one warning, and nothing is lost by it', async () => {
    const history = told(ID);
    const gone = history.entries.filter(({ topic }) => topic === INPUTS);
    for (const entry of gone) history.entries.splice(history.entries.indexOf(entry), 1);
    const sources = history.sources();
    sources.fixed.topicIds.set(INPUTS, LATER);
    const report = await verify(sources, AT_ONCE);
    expect(report.findings.filter(({ severity }) => severity === 'warning')).toMatchObject([{ code: 'INPUTS_GONE' }]);
    // The one dead letter of intake in it is by name: it stands for a record of the topic that there is.
    const errors = report.findings.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code)).toEqual(['DEAD_LETTER_OF_NOTHING']);
  });

  it('that name no topic that ever was are no inputs', async () => {
    const report = await verify(told('somewhere').sources(), AT_ONCE);
    expect(Object.keys(report.codes)).toContain('ORIGIN_WITHOUT_INPUT');
  });
});

describe('a dead letter that was replayed twice', () => {
  /** Replays the last priced record of a completed transfer, as if its letter had stood behind it. */
  const replayed = (decided: number) => (history: History) => {
    const priced = entryOf(history, 'transfer.priced');
    const source = { topicId: 'transfer.screened', partition: priced.partition, offset: 0, replayCount: 0 };
    const owner = 'fx-pricing';
    const headers = {
      [RECOVERY_HEADER.sourceTopic]: source.topicId,
      [RECOVERY_HEADER.sourcePartition]: String(source.partition),
      [RECOVERY_HEADER.sourceOffset]: String(source.offset),
      [RECOVERY_HEADER.deadLetterId]: deadLetterId({ owner, source }),
      [RECOVERY_HEADER.replayCount]: '1',
    };
    const places = ['r-1', 'r-2'].map((replayId) =>
      history.append('fx-pricing.replay', priced.partition, {
        key: priced.key,
        bytes: Buffer.from('as it was'),
        headers: { ...headers, [RECOVERY_HEADER.replayId]: replayId },
      }),
    );
    const outputs = [priced, entryOf(history, 'transfer.priced', 1)];
    places.slice(0, decided).forEach(({ partition, offset }, i) => {
      const cause = { source: sourceOf(owner, 'fx-pricing.replay'), partition, offset, nth: 0 };
      outputs[i]!.headers[HEADER.cause] = formatCause(cause);
    });
  };

  it('is a finding when something came of both, and none when the second was dropped', async () => {
    const twice = await verified(['completed', 'completed'], replayed(2));
    expect(Object.keys(twice.codes)).toEqual(['REPLAY_DECIDED_TWICE']);
    expect(twice.findings[0]!.position).toMatch(/^fx-pricing\.replay\//);
    expect((await verified(['completed', 'completed'], replayed(1))).findings).toEqual([]);
  });
});
