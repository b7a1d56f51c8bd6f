// The record of a dead letter: what stands in the log, as the one who asks may see it.
import { z } from 'zod';
import { findLetter } from '../../../operations/dead-letters/letters.ts';
import { recordOfLetter } from '../../../operations/dead-letters/record-of-letter.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { operatorsOf } from '../operators.ts';
import { shownTo, unmaskQuery } from '../unmask.ts';

export const letterRecordDto = z
  .object({
    letterId: z.string(),
    topic: z.string().nullable().describe('By which it is decoded; null: its headers name none of ours.'),
    headers: z.array(
      z.object({
        name: z.string(),
        value: z
          .string()
          .nullable()
          .describe('Null: no text, or not shown, since others may have written it: numbers, ids and codes are.'),
      }),
    ),
    bytes: z.int().describe('Of the value.'),
    decoded: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('With what may name people masked by role; whole numbers that are larger than those of JSON are text.'),
    flaw: z.object({ code: z.string(), detail: z.string() }).nullable().describe('Why it does not decode.'),
    raw: z.string().nullable().describe('The value in Base64; null: it has none, or is shown masked.'),
  })
  .meta({ id: 'DeadLetterRecord' });

const getRecord = route({
  name: 'getDeadLetterRecord',
  method: 'GET',
  url: '/v1/dead-letters/:letterId/record',
  action: 'letters.read',
  tag: 'Dead letters',
  summary: 'The record of a dead letter as the log has it: headers, decoded view, bytes',
  description: 'Names, accounts and texts are masked by role. The bytes are shown with a reason alone (`unmask`).',
  path: z.strictObject({ letterId: z.string().min(1).max(200) }),
  query: unmaskQuery,
  answers: { 200: letterRecordDto },
  refusals: [
    ...(['LETTER_UNKNOWN', 'LETTER_GONE', 'LETTER_FORGED', 'MONGO_UNAVAILABLE'] as const),
    ...(['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'AUDIT_UNAVAILABLE'] as const),
  ],
  async handle(asked) {
    const { parts, path } = asked;
    const letter = await findLetter(parts.deadLetters, path.letterId);
    const { edits } = operatorsOf(parts);
    const on = { kind: 'dead-letters', id: letter._id };
    const { decoded, headers, ...record } = await shownTo(asked, on, (sight) => recordOfLetter(edits, letter, sight));
    const shown = { decoded: decoded as Record<string, unknown> | null, headers: headers.map((each) => ({ ...each })) };
    return answer(200, { letterId: letter._id, ...record, ...shown });
  },
});

export const letterRecordRoutes: readonly Route[] = [getRecord];
