// What `corridor audit verify` can find. docs/audit.md shows this table.
interface AuditFindingCode {
  /** What is wrong. */
  readonly what: string;
  /** What an auditor does. */
  readonly toDo: string;
}

const code = (what: string, toDo: string): AuditFindingCode => ({ what, toDo });

export const auditFindingCodes = {
  LOG_DIFFERS: code(
    'the entries up to a checkpoint do not have its root: one of them was changed, taken away, added or moved since the last checkpoint that fits',
    'compare these entries with another replica, an export or the index; find out who can write to `audit.log`',
  ),
  LOG_CUT: code(
    'the log ends before its newest checkpoint: entries at its end are gone',
    'restore the topic from a replica or an export; find out who can delete its records',
  ),
  LOG_BEGINS_LATE: code(
    'the first records of the log are gone',
    'look at the retention of `audit.log` (it keeps all), and who can delete records',
  ),
  ENTRY_MISPLACED: code(
    'a record says another place than it has: entries were taken away, added or moved',
    'compare with an export; the first such place is where it begins',
  ),
  ENTRY_REPEATED: code(
    'two entries have one id',
    'somebody copied a record of `audit.entries` long after it was written',
  ),
  ENTRY_NOT_SEALED: code(
    'an entry bears no seal of a program: it was changed or made up, or its key was removed from CORRIDOR_AUDIT_KEYS',
    'put old keys back for verifying; otherwise find out who can write to `audit.log`',
  ),
  ENTRY_UNREADABLE: code('a record of the log cannot be read', 'compare the replicas of the partition'),
  ENTRY_UNSIGNED: code(
    'entries stand behind the newest checkpoint: the sequencer writes both at once, so it did not write these',
    'find out who else can write to `audit.log`',
  ),
  ENTRY_LEFT_OUT: code(
    'an entry that a program wrote is not in the log, though the sequencer has passed it',
    'find out who ran as the sequencer, or set its offsets',
  ),
  CHECKPOINT_NOT_SIGNED: code(
    'a checkpoint is signed by none of the public keys',
    'give all public keys the log ever had; otherwise find out who can write to `audit.checkpoints`',
  ),
  CHECKPOINT_FORKED: code(
    'two checkpoints contradict each other: smaller after larger, or another root over as many entries',
    'somebody signed another history: the signing key is not the sequencer’s alone',
  ),
  CHECKPOINTS_GONE: code(
    'there are entries and no checkpoint at all, or the first checkpoints are gone',
    'restore `audit.checkpoints`; find out who can delete its records',
  ),
  KEPT_CHECKPOINT_DIFFERS: code(
    'a checkpoint that was kept elsewhere does not fit the log',
    'the log was rewritten by somebody who has the signing key: what was kept is right',
  ),
  INDEX_DIFFERS: code(
    'the index in MongoDB shows another entry than the log, or lacks one',
    'believe the log; delete the collection `audit_entries` to have it made again, and find out who writes to the database',
  ),
} as const satisfies Readonly<Record<string, AuditFindingCode>>;

export type AuditFindingName = keyof typeof auditFindingCodes;
