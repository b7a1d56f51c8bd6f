// Codes of the audit log.
import { entry } from './entry.ts';

export const auditCodes = {
  AUDIT_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Bring the log (Kafka) back: what cannot be recorded is not done. Then ask again.',
  ),
  AUDIT_ENTRY_INVALID: entry('poison', 'the program', 500, 'Report it: a program names an act in a way that is none.'),
  TICKET_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Give the number of a ticket, such as INC-1234, and no text: the audit log keeps it for ever.',
  ),
} as const;
