// What people write on a group of dead letters: a note, who looks after it, the incident in another system.
import { z } from 'zod';
import { annotateGroup } from '../../../operations/dead-letters/groups.ts';
import type { GroupNote } from '../../../operations/dead-letters/ports.ts';
import { checkIfMatch, etagOf } from '../../http/precondition.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf } from '../dto.ts';
import { CHANGE_REFUSALS, ifMatch, operatorsOf } from '../operators.ts';

const path = z.strictObject({ groupId: z.string().min(1).max(200) });

export const noteDto = z
  .object({
    groupId: z.string(),
    note: z.string().nullable(),
    assignee: z.string().nullable().describe('Who looks after the group.'),
    incident: z.string().nullable().describe('Id or address of an incident in another system.'),
    writtenBy: z.string().nullable(),
    writtenAt: instant.nullable(),
  })
  .meta({ id: 'LetterGroupNote' });

const versionOf = (note: GroupNote | undefined) => etagOf(note?.version ?? 0);

const noteOf = (groupId: string, note: GroupNote | undefined): z.output<typeof noteDto> => ({
  groupId,
  ...{ note: note?.note ?? null, assignee: note?.assignee ?? null, incident: note?.incident ?? null },
  ...{ writtenBy: note?.by ?? null, writtenAt: note ? instantOf(note.at) : null },
});

const get = route({
  name: 'getLetterGroupNote',
  method: 'GET',
  url: '/v1/dead-letter-groups/:groupId/note',
  action: 'letters.read',
  tag: 'Dead letters',
  summary: 'What people wrote on a group',
  path,
  answers: { 200: noteDto },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, path: { groupId } }) {
    const found = await operatorsOf(parts).letters.noteOf(groupId);
    return answer(200, noteOf(groupId, found), { etag: versionOf(found) });
  },
});

const write = route({
  name: 'writeLetterGroupNote',
  method: 'PATCH',
  url: '/v1/dead-letter-groups/:groupId/note',
  action: 'letters.annotate',
  tag: 'Dead letters',
  summary: 'Write on a group: what is left out stays, an empty text takes it away',
  path,
  headers: ifMatch,
  body: z
    .strictObject({
      note: z.string().max(2_000).optional(),
      assignee: z.string().max(200).optional(),
      incident: z.string().max(200).optional(),
    })
    .meta({ id: 'LetterGroupNoteChange' }),
  answers: { 200: noteDto },
  refusals: [...CHANGE_REFUSALS, 'LETTER_GROUP_UNKNOWN', 'LETTER_GROUP_MOVED'],
  async handle({ parts, principal, path: { groupId: group }, body, header }) {
    const { letters } = operatorsOf(parts);
    checkIfMatch(header('if-match'), versionOf(await letters.noteOf(group)));
    const { note, assignee, incident } = body;
    const written = await annotateGroup(letters, {
      ...{ group, by: principal.subject, at: new Date(parts.clock()) },
      ...(note === undefined ? {} : { note }),
      ...(assignee === undefined ? {} : { assignee }),
      ...(incident === undefined ? {} : { incident }),
    });
    return answer(200, noteOf(group, written), { etag: versionOf(written) });
  },
});

export const letterNoteRoutes: readonly Route[] = [get, write];
