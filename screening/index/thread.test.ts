// An index in a thread of its own answers as one on the caller's thread does, and its end is an outage, not an answer.
import { beforeAll, describe, expect, it } from 'vitest';
import { creditor, debtor } from '../../test/kit/builders.ts';
import { loadSampleList } from '../lists/sample/load.ts';
import { queryOf } from '../query.ts';
import { packEntities } from '../versions/packed.ts';
import { referenceTo } from '../versions/version.ts';
import type { IndexPlan, IndexQuery } from './built-index.ts';
import { openInProcessIndex } from './in-process.ts';
import { openIndexThread } from './thread.ts';

const STRICT = '{"threshold":0.99}';
let plan: IndexPlan;
beforeAll(async () => {
  const list = await loadSampleList();
  const chunks = [...packEntities(list.entities)].map(({ data }) => data);
  plan = { parts: [{ list: referenceTo(list, 1), chunks }], configurations: ['{}', STRICT], difference: false };
});
const ask = (name: string, configuration = '{}'): IndexQuery => ({
  role: 'DEBTOR',
  party: queryOf(debtor({ name, birthDate: null })),
  configuration,
});

describe('an index in a thread', () => {
  it('answers in order, the same as one here', async () => {
    const [here, thread] = await Promise.all([openInProcessIndex(plan), openIndexThread(plan)]);
    const queries = [
      ask('Anatoly Grigoryevich Vorskov'),
      { ...ask(''), party: queryOf(creditor()) },
      ask('Anatoli Grigorievich Vorskov', STRICT),
      ask('😀'),
    ];
    const answers = await Promise.all([thread.screen(queries), thread.screen([]), thread.screen(queries.toReversed())]);
    expect(answers[0]).toEqual(await here.screen(queries));
    expect(answers[0]!.map(({ outcome }) => outcome)).toEqual(['POTENTIAL_MATCH', 'CLEAR', 'CLEAR', 'UNSCREENABLE']);
    expect(answers[1]).toEqual([]);
    expect(answers[2]).toEqual(answers[0]!.toReversed());
    await thread.close();
  });

  it('tells of a question it cannot answer without repeating it, and goes on', async () => {
    const thread = await openIndexThread(plan);
    const strange = ask('Anatoly Vorskov', '{"threshold":0.8}');
    await expect(thread.screen([strange])).rejects.toMatchObject({ code: 'SCREENING_FAILED' });
    await expect(thread.screen([strange])).rejects.not.toThrow(/vorskov/i);
    expect(await thread.screen([ask('Gwen Hartley')])).toMatchObject([{ outcome: 'CLEAR' }]);
    await thread.close();
  });

  it('that ended is a dependency that is down', async () => {
    const thread = await openIndexThread(plan);
    await thread.close();
    await expect(thread.screen([ask('Gwen Hartley')])).rejects.toMatchObject({
      code: 'INDEX_THREAD_ENDED',
      faultClass: 'transient-dependency',
    });
  });

  it('does not open over a version that is not what was imported', async () => {
    const [part] = plan.parts;
    const damaged = { ...plan, parts: [{ ...part!, list: { ...part!.list, contentHash: 'other' } }] };
    await expect(openIndexThread(damaged)).rejects.toMatchObject({ code: 'INDEX_THREAD_ENDED' });
  });
});
