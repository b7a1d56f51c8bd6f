// What people write to each other about a case: it decides nothing, and is never changed.
import { z } from 'zod';
import { findCase } from '../../../operations/cases/inbox/find.ts';
import { noteOnCase } from '../../../operations/cases/notes/notes.ts';
import { checkSameRequest, idFromKey, keyField } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { caseNoteDto, noteOf } from '../case-dto.ts';
import { operatorsOf } from '../operators.ts';

const MAX_TEXT_CHARACTERS = 2_000;

const write = route({
  name: 'noteOnCase',
  method: 'POST',
  url: '/v1/cases/:caseId/notes',
  action: 'cases.note',
  tag: 'Cases',
  summary: 'Write something about a case to the others who work on it',
  description:
    'The case shows it to whoever may see the case, so name nobody. It decides nothing, and is never changed.',
  path: z.strictObject({ caseId: z.string().min(1).max(100) }),
  headers: { 'idempotency-key': keyField },
  body: z.strictObject({ text: z.string().trim().min(1).max(MAX_TEXT_CHARACTERS) }).meta({ id: 'CaseNoteToWrite' }),
  answers: { 201: caseNoteDto },
  refusals: [
    ...(['MONGO_UNAVAILABLE', 'CASE_UNKNOWN', 'CASE_ALTERED', 'JUSTIFICATION_INVALID'] as const),
    ...(['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_REUSED'] as const),
  ],
  async handle({ parts, principal, path: { caseId: asked }, body: { text }, header }) {
    const { sources, notes } = operatorsOf(parts).inbox;
    const id = idFromKey('case-note', principal.subject, header('idempotency-key'));
    const { id: caseId } = await findCase(sources, asked);
    const by = { ...principal, name: principal.subject };
    const note = await noteOnCase(notes, { id, caseId, by, text, at: new Date(parts.clock()) });
    checkSameRequest(JSON.stringify([note.caseId, note.text]), JSON.stringify([caseId, text]));
    return { ...answer(201, noteOf(note)), audited: { on: { kind: 'cases', id: caseId, isKnown: true } } };
  },
});

export const caseNoteRoutes: readonly Route[] = [write];
