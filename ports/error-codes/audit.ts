// Codes of the audit log.
import { entry } from './entry.ts';

export const auditCodes = {
  AUDIT_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Bring the log (Kafka) back: what cannot be recorded is not done. Then ask again.',
  ),
  AUDIT_ENTRY_INVALID: entry(
    'poison',
    'the program',
    500,
    'Report it: a program gives an act a name that the audit log does not take.',
  ),
  TICKET_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Give the number of a ticket, such as INC-1234, and no text: the audit log keeps it for ever.',
  ),
  LOOK_REASON_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Say with one of the codes why you need to see it as it is: the audit log keeps it.',
  ),
  AUDIT_ENTRY_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'See `corridor audit list` for those that there are.',
  ),
  AUDIT_ENTRY_UNREADABLE: entry(
    'notice',
    'a record',
    422,
    'Find out who else writes to `audit.entries`: what stands there is no entry that a program has sealed.',
  ),
  AUDIT_ENTRIES_LOST: entry(
    'notice',
    'the process',
    503,
    'Bring the log (Kafka) back. What was denied or shown masked meanwhile is not in the audit log: there was no room to keep it.',
  ),
  AUDIT_STATE_DIFFERS: entry(
    'fatal',
    'a partition',
    500,
    'Run `corridor audit verify`, and find out who set the offsets of the sequencer or wrote to its topics. Entries wait meanwhile.',
  ),
  AUDIT_LOG_UNREADABLE: entry(
    'poison',
    'a batch',
    500,
    'Run `corridor audit verify`, which names what cannot be read.',
  ),
  CHECKPOINT_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'Ask again when the sequencer (`corridor run --audit`) has signed one. CORRIDOR_AUDIT_PUBLIC_KEYS must name its key.',
  ),
  CHECKPOINT_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Give the checkpoint as it was signed, and all public keys that the log has had.',
  ),
} as const;
