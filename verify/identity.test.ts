// Positions by id and by name, topics that were made again, and replays: what verification takes for the same, and what not.
import { describe, expect, it } from 'vitest';
import { ENDINGS, History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const INPUTS = 'transfer.requested';
const ID = '0123456789abcdef0123456789abcdef';
const LATER = 'fedcba9876543210fedcba9876543210';

function historyWith(inputTopicId: string) {
  const history = new History({ inputTopicId });
  for (const ending of ENDINGS) history.tell(ending);
  return history.fillStores();
}

describe('positions', () => {
  it.each([
    ['by the id of the topic', ID],
    ['by its name, as before', INPUTS],
  ])('%s verify', async (_, inputTopicId) => {
    const sources = historyWith(inputTopicId).sources();
    sources.fixed.topicIds.set(INPUTS, ID);
    expect((await verify(sources, AT_ONCE)).findings).toEqual([]);
  });

  it('of claims by name and of events by id are the same', async () => {
    const history = historyWith(ID);
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
    const history = historyWith(ID);
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
    const report = await verify(historyWith('somewhere').sources(), AT_ONCE);
    expect(Object.keys(report.codes)).toContain('ORIGIN_WITHOUT_INPUT');
  });
});
