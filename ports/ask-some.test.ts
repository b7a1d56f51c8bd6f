import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askSome } from './ask-some.ts';

describe('asking about some of a batch', () => {
  it('puts each answer at the place of its question, and asks once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.nat(), { nil: undefined })), async (questions) => {
        const calls: (readonly number[])[] = [];
        const answers = await askSome(questions, async (asked) => {
          calls.push(asked);
          return asked.map((question) => ({ to: question }));
        });
        expect(answers).toEqual(questions.map((question) => (question === undefined ? undefined : { to: question })));
        const asked = questions.filter((question) => question !== undefined);
        expect(calls).toEqual(asked.length === 0 ? [] : [asked]);
      }),
    );
  });

  it('believes no answers that are too many or too few', async () => {
    for (const answers of [[], [1], [1, 2, 3]]) {
      const asking = askSome(['one', undefined, 'two'], async () => answers);
      await expect(asking).rejects.toMatchObject({ code: 'OUTCOMES_MISSING', faultClass: 'fatal' });
    }
  });
});
