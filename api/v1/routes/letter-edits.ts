// What is edited of letters before their stage decides them again: set by one person, shown beside what it changes, and part of
// what another person lets through.
import { z } from 'zod';
import { editLetter, shownEdits } from '../../../operations/dead-letters/edits/edit-letter.ts';
import { MAX_OPERATIONS, patchIn } from '../../../operations/dead-letters/edits/patch.ts';
import { findReplay } from '../../../operations/dead-letters/replays/prepare.ts';
import { asSeen } from '../../http/precondition.ts';
import { type Asked, answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf } from '../dto.ts';
import { CHANGE_REFUSALS, ifMatch, operatorsOf } from '../operators.ts';
import { replayDto, replayEtag, replayOf, replayVersionIn } from '../replay-dto.ts';
import { shownTo, unmaskQuery } from '../unmask.ts';

const replayId = z.string().min(1).max(100);
const path = z.strictObject({ replayId, letterId: z.string().min(1).max(200) });

const patch = z
  .strictObject({
    patch: z
      .array(
        z.strictObject({
          op: z.enum(['add', 'replace', 'remove', 'test']),
          path: z.string().max(200).describe('JSON Pointer in the decoded record.'),
          value: z.unknown().optional(),
        }),
      )
      .min(1)
      .max(MAX_OPERATIONS)
      .describe('JSON Patch (RFC 6902); move and copy are not taken.'),
  })
  .meta({ id: 'LetterPatch' });

const EDIT_REFUSALS = [
  ...CHANGE_REFUSALS,
  ...(['REPLAY_UNKNOWN', 'REPLAY_MOVED', 'LETTER_NOT_IN_REPLAY', 'KAFKA_UNAVAILABLE'] as const),
] as const;

type Change = Asked<z.output<typeof path>, unknown, unknown>;

/** Sets, or takes back, what is edited of one letter of the replay that the caller has seen. */
async function changed(
  { parts, path: { replayId: id, letterId }, header, principal }: Change,
  typed: readonly unknown[] | null,
) {
  const { edits } = operatorsOf(parts);
  const replays = asSeen(edits.replays, replayVersionIn(header('if-match')), replayEtag);
  const asked = { id, letterId, by: principal.subject, at: new Date(parts.clock()), dryRunBy: 'runner' } as const;
  const replay = await editLetter({ ...edits, replays }, { ...asked, patch: typed && patchIn(typed) });
  const items = [{ on: { kind: 'dead-letters', id: letterId, isKnown: true }, outcome: 'DONE' as const }];
  const shown = answer(200, replayOf(replay), { etag: replayEtag(replay) });
  return { ...shown, audited: { decidedOn: replay.selectionHash, items } };
}

const edit = route({
  name: 'editLetter',
  method: 'PUT',
  url: '/v1/replays/:replayId/letters/:letterId/edit',
  action: 'replays.run',
  tag: 'Dead letters',
  summary: 'Edit a letter of a frozen replay before it is sent again',
  description:
    'A JSON Patch on the decoded record. Only a few texts may be edited, by whose letter it is; what is paid, to whom and what was found out is locked (EDIT_LOCKED): another payment is a new instruction. The replay is tried again, and what is approved is bound to the edit. The letter itself stays as it is.',
  path,
  headers: ifMatch,
  body: patch,
  answers: { 200: replayDto },
  refusals: [
    ...EDIT_REFUSALS,
    ...(['LETTER_NOT_EDITABLE', 'LETTER_GONE', 'LETTER_FORGED'] as const),
    ...(['EDIT_INVALID', 'EDIT_LOCKED', 'EDIT_TEST_FAILED', 'REGISTRY_UNAVAILABLE'] as const),
  ],
  handle: (asked) => changed(asked, asked.body.patch),
});

const unedit = route({
  name: 'uneditLetter',
  method: 'DELETE',
  url: '/v1/replays/:replayId/letters/:letterId/edit',
  action: 'replays.run',
  tag: 'Dead letters',
  summary: 'Have a letter of a frozen replay sent as it is, after all',
  path,
  headers: ifMatch,
  answers: { 200: replayDto },
  refusals: [...EDIT_REFUSALS, 'LETTER_NOT_EDITABLE'],
  handle: (asked) => changed(asked, null),
});

const text = z.string().nullable();

export const letterEditsDto = z
  .object({
    items: z.array(
      z
        .object({
          letterId: z.string(),
          transferId: z.string().nullable(),
          editedBy: z.string(),
          editedAt: instant,
          changes: z
            .array(
              z.object({
                path: z.string(),
                before: text,
                after: text,
                isMasked: z.boolean().describe('It may name people: first letters are shown, or nothing.'),
              }),
            )
            .describe('Empty: the log has not kept the letter.'),
        })
        .meta({ id: 'LetterEdit' }),
    ),
  })
  .meta({ id: 'LetterEdits' });

const list = route({
  name: 'listLetterEdits',
  method: 'GET',
  url: '/v1/replays/:replayId/edits',
  action: 'replays.read',
  tag: 'Dead letters',
  summary: 'What is edited of the letters of a replay, each beside what it changes',
  path: z.strictObject({ replayId }),
  query: unmaskQuery,
  answers: { 200: letterEditsDto },
  refusals: [
    ...(['REPLAY_UNKNOWN', 'EVIDENCE_CHANGED', 'MONGO_UNAVAILABLE', 'KAFKA_UNAVAILABLE'] as const),
    ...(['REGISTRY_UNAVAILABLE', 'AUDIT_UNAVAILABLE'] as const),
  ],
  async handle(asked) {
    const { parts, path: of } = asked;
    const replay = await findReplay(parts.replays, of.replayId);
    const { edits } = operatorsOf(parts);
    const shown = await shownTo(asked, { kind: 'replays', id: of.replayId }, (sight) =>
      shownEdits(edits, replay, sight),
    );
    const items = shown.map(({ letterId, transferId, by, at, changes }) => ({
      ...{ letterId, transferId, editedBy: by, editedAt: instantOf(at) },
      changes: changes.map((change) => ({ ...change })),
    }));
    return answer(200, { items });
  },
});

export const letterEditRoutes: readonly Route[] = [edit, unedit, list];
