// Letters that are to be ended for good: selected and frozen as for a replay, and let through by another person.
import { z } from 'zod';
import { DISCARD_REASONS } from '../../../domain/reasons.ts';
import { DEFAULT_TERMS } from '../../../operations/dead-letters/replays/prepare.ts';
import { keyField } from '../../http/idempotency.ts';
import { type Route, route } from '../../http/route.ts';
import { replayDto } from '../replay-dto.ts';
import { FREEZE_REFUSALS, freezing, frozen } from './replay-acts.ts';

const { maxFailureRatio } = DEFAULT_TERMS;

const body = freezing
  .omit({ maxFailureRatio: true })
  .extend({
    reasonCode: z
      .enum(DISCARD_REASONS)
      .default('DISC')
      .describe('Told to producers with the rejection; the reason in words is not.'),
  })
  .meta({ id: 'DiscardSelection' });

const discard = route({
  name: 'discardLetters',
  method: 'POST',
  url: '/v1/dead-letters/discards',
  action: 'letters.discard',
  tag: 'Dead letters',
  summary: 'Select parked letters and freeze them to be ended for good',
  description:
    'Nothing is ended by this. It is a replay of its own kind: tried, asked for and let through as one, under `/v1/replays`. The stage that put a letter aside rejects its transfer; what may have been paid is left alone.',
  headers: { 'idempotency-key': keyField },
  body,
  answers: { 201: replayDto },
  refusals: FREEZE_REFUSALS,
  handle: (asked) => {
    const { reasonCode, ...selected } = asked.body;
    return frozen(asked, { ...selected, maxFailureRatio }, reasonCode);
  },
});

export const letterDiscardRoutes: readonly Route[] = [discard];
