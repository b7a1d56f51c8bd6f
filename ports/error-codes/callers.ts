// Codes of what a person or a program asked for and what is refused: nothing was changed.
import { entry } from './entry.ts';

export const callerCodes = {
  OPTION_INVALID: entry('invalid-request', 'the caller', 400, 'Correct the option that the message names.'),
  OPTION_MISSING: entry('invalid-request', 'the caller', 400, 'Give the option that the message names.'),
  DECISION_MISSING: entry('invalid-request', 'the caller', 400, 'Say which decision it is.'),
  PART_UNKNOWN: entry(['fatal', 'invalid-request'], 'the caller', 400, 'Name one of the parts that the message lists.'),
  FILE_NOT_WRITTEN: entry(
    'invalid-request',
    'the caller',
    400,
    'Name a file that is not there yet, in a folder that you may write to.',
  ),
  FILE_UNREADABLE: entry('invalid-request', 'the caller', 400, 'Check the path and the right to read the file.'),
  FILE_UNWRITABLE: entry('invalid-request', 'the caller', 400, 'Check the path and the right to write there.'),
  FILES_UNCLEAR: entry('invalid-request', 'the caller', 400, 'Name each file of the list once.'),
  FORMAT_UNKNOWN: entry('invalid-request', 'the caller', 400, 'Name one of the formats that the message lists.'),
  BAD_LINES: entry(
    'invalid-request',
    'the caller',
    422,
    'Correct the lines, or pass --skip-bad. Nothing was published.',
  ),
  LINE_NOT_JSON: entry('notice', 'the caller', 400, 'Write one JSON object on each line.'),
  LINE_NOT_OBJECT: entry('notice', 'the caller', 400, 'Write one JSON object on each line.'),
  LINE_TOO_LONG: entry('notice', 'the caller', 413, 'Write shorter lines.'),
  TRANSFER_UNKNOWN: entry('invalid-request', 'the caller', 404, 'Check the id of the transfer.'),
  LIMIT_SUBJECT_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Name a sender, a beneficiary or an account by its token, as the limits of a transfer show it, never by the id of a customer.',
  ),
  QUOTE_UNKNOWN: entry('invalid-request', 'the caller', 404, 'Check the id of the quote.'),
  QUOTES_OFF: entry(
    'invalid-request',
    'configuration',
    403,
    'Send transfers without a quote, or have operators set CORRIDOR_QUOTES once every intake knows quotes (docs/upgrading.md).',
  ),
  QUOTES_TOO_MANY: entry(
    'invalid-request',
    'the caller',
    429,
    'Wait until your requests are answered, within a minute; name the guaranteed quotes that you have in transfers, or wait until they have expired. Where nothing is answered, pricing does not run.',
  ),
  TRANSFER_UNPRICED: entry(
    'invalid-request',
    'the caller',
    404,
    'Ask again once the transfer has a price; one that was refused before never has one.',
  ),
  EVIDENCE_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'Check the id: the log holds no screening evidence of this transfer.',
  ),
  ENTITY_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'Check the id of the entity on the list that is in force.',
  ),
  LETTER_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'See `corridor dlq list` for the dead letters that there are; the index may not have come that far yet.',
  ),
  LETTER_GROUP_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'See `corridor dlq groups` for the groups that there are.',
  ),
  LETTER_GROUP_MOVED: entry(
    'invalid-request',
    'the caller',
    409,
    'Look at the group, then write again: somebody else wrote on it meanwhile.',
  ),
  CASE_UNKNOWN: entry('invalid-request', 'the caller', 404, 'See the list of cases for those that there are.'),
  CASE_NOT_OPEN: entry('invalid-request', 'the caller', 409, 'Look at the case: it is decided or closed already.'),
  CASE_MOVED: entry('invalid-request', 'the caller', 409, 'Look at the case, then try again: it changed meanwhile.'),
  CASE_ALTERED: entry(
    'invalid-request',
    'a stored document',
    409,
    'Restore the case from the log with `corridor cases restore`: it was changed in the database.',
  ),
  CASE_WHOLE: entry('invalid-request', 'the caller', 409, 'Look at the case: there is nothing to restore.'),
  EVIDENCE_CHANGED: entry(
    'invalid-request',
    'the caller',
    409,
    'Look at the case again: its evidence is not what you decided on.',
  ),
  CASE_ASSIGNED: entry(
    'invalid-request',
    'the caller',
    409,
    'Ask the person who works on the case, or wait until the assignment is over. It keeps nobody from deciding.',
  ),
  ASSIGNMENT_UNKNOWN: entry('invalid-request', 'the caller', 409, 'Do nothing: the case is not yours.'),
  SECOND_APPROVER_NEEDED: entry(
    'invalid-request',
    'the caller',
    409,
    'Ask for the verdict instead, and have another person let it through: see the list of approvals.',
  ),
  VERDICT_UNFIT: entry('invalid-request', 'the caller', 400, 'Say one of the verdicts that the message lists.'),
  DECISION_REASON_UNFIT: entry('invalid-request', 'the caller', 400, 'Give one of the codes that the message lists.'),
  NOT_CONFIRMED: entry(
    'invalid-request',
    'the caller',
    400,
    'Decide again, and type the verdict. Nothing was decided.',
  ),
  LIST_CUT: entry(
    'notice',
    'the caller',
    200,
    'Narrow the list, or read it page by page: sums and counts are of what was looked at, which the detail names.',
  ),
  INBOX_CUT: entry(
    'notice',
    'the caller',
    200,
    'Decide those that were opened first, or ask for one kind or stage: there are more open cases than one list holds.',
  ),
  HOLD_UNKNOWN: entry(
    'invalid-request',
    'the caller',
    404,
    'Check the id: the log has no held event of it that a stage sealed.',
  ),
  HOLD_RESUMED: entry(
    'invalid-request',
    'the caller',
    409,
    'Do nothing: the hold was resumed, and its case has nothing left to decide.',
  ),
  HOLD_LAPSED: entry(
    'invalid-request',
    'the caller',
    409,
    'Do nothing: the hold has lapsed, and the transfer is rejected.',
  ),
} as const;

/** Of exports for analysts. */
export const exportCodes = {
  EXPORT_OF_ANOTHER: entry(
    'invalid-request',
    'the caller',
    409,
    'Name another folder: this one holds an export of another log or format, or one that this release did not write.',
  ),
  EXPORT_GAP: entry(
    'invalid-request',
    'the caller',
    409,
    'Find what is missing elsewhere, or go on without it: `--skip-gap`. Export more often than the topics keep records.',
  ),
  EXPORT_BUSY: entry(
    'invalid-request',
    'the caller',
    409,
    'Let the other export of this target end, and run one at a time.',
  ),
  EXPORT_TARGET_MISSING: entry(
    'fatal',
    'the caller',
    500,
    'Set what is named: where to (a folder, or s3://bucket/prefix), and the key of the object storage.',
  ),
  EXPORT_NOT_WRITTEN: entry(
    'fatal',
    'the caller',
    500,
    'Check the folder, its rights and the room on the disk, or the bucket and who may write to it; then run the export again, which goes on where it was.',
  ),
} as const;

/** Of texts of a caller that are refused by the rules of the domain. */
export const verifyCodes = {
  CHECKPOINT_AHEAD: entry(
    'fatal',
    'the caller',
    409,
    'Use the checkpoint of this log: this one has read further than the log reaches.',
  ),
  CHECKPOINT_DAMAGED: entry('fatal', 'the caller', 422, 'Verify from the start, or go on from an older checkpoint.'),
  CHECKPOINT_NOT_WRITTEN: entry(
    'fatal',
    'the caller',
    500,
    'Check the path of the checkpoint and the room on the disk.',
  ),
  CHECKPOINT_OF_ANOTHER: entry('fatal', 'the caller', 409, 'Use a checkpoint of this application.'),
  CHECKPOINT_OF_OTHER_FORM: entry(
    'fatal',
    'the caller',
    409,
    'Use the release that wrote the checkpoint, or verify from the start of the log.',
  ),
  CHECKPOINT_UNREADABLE: entry('fatal', 'the caller', 400, 'Check the path of the checkpoint.'),
  NOT_QUIET: entry('fatal', 'the caller', 409, 'Stop the input, or verify without waiting for quiet.'),
} as const;
