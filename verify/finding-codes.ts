// Every code that a verification can report: what is wrong, and what to do. A code that is not here does not compile;
// docs/verify.md is made from this list.

interface FindingGroup {
  readonly codes: readonly string[];
  /** What is wrong. Markdown, as in docs/verify.md. */
  readonly wrong: string;
  readonly toDo: string;
}

/** In the order of the documentation: what touches money first. */
export const FINDING_GROUPS = [
  {
    codes: ['PAID_TWICE', 'PAYOUT_PAID_TWICE'],
    wrong: 'money left twice',
    toDo: 'stop payouts; ask the provider to recall; find the two keys in its ledger',
  },
  {
    codes: ['PAID_THOUGH_REJECTED', 'PAID_WITHOUT_REQUEST', 'PAID_AFTER_REQUOTE', 'EXECUTION_OF_STRANGER'],
    wrong: 'money left that should not have',
    toDo: 'the same',
  },
  {
    codes: ['PAID_NOT_EXECUTED', 'AMOUNT_DIFFERS', 'RETURN_DIFFERS', 'DEBITS_NOT_CREDITS'],
    wrong: 'the log says something else than the provider',
    toDo: "compare the transfer's payout with the provider's records",
  },
  {
    codes: ['KEY_SENT_TWICE'],
    wrong: "a payout was sent again under its key; the provider's duplicate protection is all that stood between",
    toDo: 'find out why: a key is sent once',
  },
  {
    codes: ['INPUT_LOST', 'TRANSFER_LOST'],
    wrong: 'something was handled and nothing came of it',
    toDo: 'replay the record; keep the logs of the stage named',
  },
  {
    codes: ['REPLAY_DECIDED_TWICE'],
    wrong: 'a dead letter was decided again by two replays',
    toDo: 'find out who deleted the claim (`replay_claims`), or wrote replays without the tool',
  },
  {
    codes: ['SKIP_NOT_APPROVED'],
    wrong:
      'a consumer skipped a record, and no two persons let it: the letter names no approval, or one of something else',
    toDo: 'find out who has the keys of stages, or deleted from `approvals`; replay the letter if its transfer stands',
  },
  {
    codes: ['DECISION_NOT_APPROVED'],
    wrong: 'a decision on a hold names an approval that does not let it be, or that is there no more',
    toDo: 'find out who has the keys of operators, or deleted from `approvals`; look at what the hold let go on',
  },
  {
    codes: ['SEAL_MISSING', 'SEAL_WRONG', 'SEAL_KEY_UNKNOWN'],
    wrong:
      "nothing proves who wrote a record of the chain, or a retry, replay or dead letter: nobody acts on it, and it is nobody's end. Dead letters of the time before seals are among them",
    toDo: 'who else may write to the topic? If a key was removed too early, verify with it',
  },
  {
    codes: ['REPLAY_UNCLAIMED', 'REPLAY_CLAIM_DIFFERS'],
    wrong:
      "a replay was handled, and its claim is gone or is another's: its letter may have been decided twice, or may yet be",
    toDo: 'who else writes to `replay_claims`? See what became of its transfer before you replay anything',
  },
  {
    codes: ['REPLAY_ID_DIFFERS'],
    wrong:
      'a lifecycle record names another replay than the one that its event was made from, or one where there was none',
    toDo: 'who has `CORRIDOR_LIFECYCLE_KEYS`? What analysts count as sent again is wrong; no money moves by it',
  },
  {
    codes: ['DISCARD_DIFFERS', 'DISCARD_UNORDERED'],
    wrong:
      'a dead letter that operators discarded was decided instead, or a transfer was ended in their name without an order of theirs',
    toDo: "who else has the stages' key? See what became of the transfer before you do anything",
  },
  {
    codes: ['DISCARD_UNAPPROVED'],
    wrong: 'the index says that a dead letter was discarded, and no two persons let that through',
    toDo: 'who else writes to `dead_letters`? Its transfer may stand still for it: set it to `PARKED`',
  },
  {
    codes: ['INPUTS_GONE'],
    wrong:
      '(warning) `transfer.requested` was deleted and made again: events of before name inputs that are there no more',
    toDo: 'nothing, if that was meant',
  },
  {
    codes: ['INPUT_ENDED_TWICE', 'EVENT_REPEATED', 'EVENT_ID_CONFLICT', 'LIFECYCLE_REPEATED', 'DEAD_LETTER_REPEATED'],
    wrong: 'something ran twice: exactly-once is broken',
    toDo: 'look for two processes with one transactional id, or offsets that were reset',
  },
  {
    codes: ['ILLEGAL_PATH', 'CAUSE_WRONG', 'EVENT_BEFORE_CHECKPOINT'],
    wrong: 'a transfer moved as it may not',
    toDo: 'the events of the transfer, in order of their offsets',
  },
  {
    codes: ['EVENT_ID_WRONG', 'KEY_WRONG', 'HEADER_WRONG', 'PARTITION_WRONG', 'HOLD_ID_WRONG', 'PAYOUT_ID_WRONG'],
    wrong: 'a record is not what its stage writes',
    toDo: 'who else may write to the topic?',
  },
  {
    codes: [
      'INTENT_ALTERED',
      'INSTRUCTION_CHANGED',
      'PARTIES_CHANGED',
      'EVIDENCE_CHANGED',
      'PRICE_CHANGED',
      'RESERVATION_CHANGED',
      'APPROVAL_CHANGED',
      'APPROVAL_UNDECIDED',
      'PAYOUT_CHANGED',
      'PRICE_WRONG',
    ],
    wrong: 'what is paid, to whom or at which price was changed',
    toDo: 'stop payouts; find the first event that differs',
  },
  {
    codes: ['PRICE_NOT_BY_TERMS'],
    wrong:
      'a price is not what the terms that it names come to: another row counts, or what follows from it is another',
    toDo: 'was a file of terms changed under the name of before? Give it another version; else find who made the price',
  },
  {
    codes: ['QUOTE_USED_TWICE'],
    wrong: 'two transfers have the price of one quote: a claim was deleted, or is of a database that was put back',
    toDo: 'the second price binds for nobody asked for it; find who can delete from `quote_claims`',
  },
  {
    codes: ['QUOTE_REPRICED'],
    wrong: 'a transfer that names a quote was priced again, in another way',
    toDo: 'a bug, or a record that no stage of this build wrote: see which program made it',
  },
  {
    codes: ['QUOTE_DIFFERS', 'QUOTE_NOT_SEALED', 'QUOTE_NOT_CLAIMED'],
    wrong:
      'a transfer names a quote and has another price, asks for something else, is of another producer, or came when it had expired; nothing under the seal of the stages says that it was quoted; or the claim on it is gone, of another transfer, or of no stage',
    toDo: 'was `fx_quotes` or `quote_claims` put back or deleted from? Delete only what expired more than ten days ago and is verified. Else find who made the price',
  },
  {
    codes: ['TERMS_UNKNOWN'],
    wrong:
      '(warning) prices name terms that are neither configured nor in the log, so nobody held them against each other',
    toDo: 'verify with the file of terms that was in force (`CORRIDOR_TERMS_FILE`), or with the keys of operators',
  },
  {
    codes: ['LAW_NOT_IN_FORCE'],
    wrong:
      'a decision names a version of limit rules or terms that was not in force when the broker took what was decided on, by more than a minute',
    toDo: 'which process had not heard of the version (`POLICY_UNUSABLE`, the log was away), or goes by a file alone? Look at what the version in force would have said: `corridor limits backtest`',
  },
  {
    codes: ['LIMIT_USES_DIFFER'],
    wrong:
      'what was reserved is not what the version of limit rules that is named states for this transfer: another subject, amount or window, a rule more or less',
    toDo: "who else has the stages' key, or writes into the Redis of limits? `corridor limits audit`; if a corridor got the name of another one since, verify with the table of then",
  },
  {
    codes: ['LIMIT_RULES_UNKNOWN'],
    wrong: '(warning) decisions name a version of limit rules that is not proven in the log',
    toDo: 'was `policy.versions` restored from an older copy, or is a key of operators missing here?',
  },
  {
    codes: ['ORIGIN_WITHOUT_INPUT', 'DUPLICATE_DIFFERS', 'DUPLICATE_OF_ITSELF'],
    wrong: 'a transfer from nowhere; a duplicate that repeats nothing',
    toDo: 'the input at the position named',
  },
  {
    codes: ['POSITION_MISSING', 'POSITION_REPEATED', 'POSITION_DIFFERS', 'POSITION_WITHOUT_PRICE'],
    wrong: 'the open exposure by currency is not what the prices come to',
    toDo: 'whoever hedges by `fx.position` hedges the wrong amount: tell them; the chain is right',
  },
  {
    codes: ['POSITION_COUNT_DIFFERS'],
    wrong: 'the kept count of open positions is not the sum of the log',
    toDo: 'who else writes to `fx_position_counts`? Delete its document: it is counted anew',
  },
  {
    codes: ['LIFECYCLE_MISSING', 'LIFECYCLE_DIFFERS', 'LIFECYCLE_WITHOUT_EVENT'],
    wrong: 'analytics and chain disagree',
    toDo: 'the chain is right',
  },
  {
    codes: [
      'DEAD_LETTER_UNMARKED',
      'MARK_WITHOUT_DEAD_LETTER',
      'DEAD_LETTER_OF_NOTHING',
      'DEAD_LETTER_ALTERED',
      'DEAD_LETTER_OF_A_READABLE_BATCH',
      'DEAD_LETTER_ID_WRONG',
      'DETOUR_WITHOUT_SOURCE',
    ],
    wrong: 'a dead letter is not what it says',
    toDo: 'do not replay it',
  },
  {
    codes: ['LIMIT_EXCEEDED', 'RESERVED_ABOVE_LIMIT', 'COUNTER_NEGATIVE'],
    wrong: 'a limit did not hold',
    toDo: 'the transfers of the customer in that window',
  },
  {
    codes: ['COUNTER_DIFFERS', 'RESERVATION_MISSING', 'RESERVATION_DIFFERS'],
    wrong: 'Redis is not what the log says',
    toDo: 'rebuild it: it is a cache of the log',
  },
  {
    codes: ['LIMITS_NOT_HYDRATED'],
    wrong: '(warning) the ledger was lost and is not rebuilt yet',
    toDo: 'wait, and run again',
  },
  {
    codes: [
      'DOCUMENT_MISSING',
      'DOCUMENT_DIFFERS',
      'DOCUMENT_BEHIND',
      'DOCUMENT_AHEAD',
      'DOCUMENTS_OVER',
      'STRANGER_STORED',
    ],
    wrong: 'a projection is not the fold of the log',
    toDo: 'drop it and let its sink write it again',
  },
  {
    codes: ['HOLD_HASH_WRONG', 'HOLD_NOT_SEALED', 'DECISION_NOT_SEALED'],
    wrong: 'a hold or a decision was made by somebody else, or changed since ([docs/security.md](security.md))',
    toDo: 'no stage resumes it; find out who can write to the topic or the collection',
  },
  {
    codes: ['PAYOUT_NOT_SEALED', 'PAYOUT_NOT_ASKED_FOR', 'CLOSING_NOT_SEALED'],
    wrong: 'a payout was written or changed by somebody else ([docs/security.md](security.md))',
    toDo: 'the executor sends and tells nothing of it; first ask the provider about every key of it; restore the document from a backup only when its price is over ([docs/payouts.md](payouts.md#after-a-restore-of-mongodb))',
  },
  {
    codes: ['LIST_VERSION_NOT_SEALED', 'LIST_ACTIVATION_NOT_SEALED', 'LIST_ACTIVATION_ROLLED_BACK'],
    wrong: 'a list version, or what is in force, was changed or put back in the database',
    toDo: 'payouts wait: import it again, activate it again',
  },
  {
    codes: ['EXCEPTION_NOT_SEALED', 'EXCEPTION_UNREVOKED', 'REVOCATION_NOT_SEALED'],
    wrong: 'an exception was made up, changed, or its revocation was',
    toDo: 'it excuses nobody; revoke it, ask for it anew',
  },
  {
    codes: ['CUSTOMER_CASE_NOT_SEALED', 'CUSTOMER_DECISION_NOT_SEALED'],
    wrong: 'a case about a customer, or the decision on it, was made by somebody else',
    toDo: 'it blocks; delete it and `screening_progress`: the rescreener opens it again if it stands',
  },
  {
    codes: ['CASE_MISSING', 'CASE_DIFFERS', 'DECISION_DIFFERS', 'DECISION_NOT_IN_LOG'],
    wrong: 'a case is not what is held, or its decision is not the one in the log',
    toDo: 'decide nothing in it before it is clear who changed it; `corridor cases restore` writes it again from the log',
  },
  {
    codes: [
      'PAYOUT_MISSING',
      'PAYOUT_DIFFERS',
      'PAYOUT_BEHIND',
      'PAYOUT_FLAWED',
      'REQUEST_DIFFERS',
      'REQUEST_UNREADABLE',
      'UPDATE_NOT_IN_LOG',
      'UPDATE_DIFFERS',
      'UPDATE_UNKNOWN',
      'UPDATE_GAP',
      'UPDATE_CONFLICT',
    ],
    wrong: "the executor's record and the log disagree",
    toDo: 'stop payouts of these transfers: this record is what prevents paying twice',
  },
  {
    codes: ['CLAIM_MISSING', 'CLAIM_DIFFERS', 'CLAIM_WITHOUT_EVENT'],
    wrong: 'a claim is gone or of something else: what it guards may run again',
    toDo: 'restore it from the event',
  },
  {
    codes: ['ATTEMPT_UNCLAIMED'],
    wrong: 'the provider received, or the payout has, an attempt that the log of claims does not have',
    toDo: "stop payouts of this transfer; who else has the provider's credentials? Were records of `payout.attempts` deleted?",
  },
  {
    codes: ['ATTEMPT_NOT_STORED', 'CLAIM_NOT_STORED'],
    wrong:
      'the provider or the log has an attempt (or that the payout was stopped) that the payout lacks: it was put back or deleted. A warning once the executor has stopped it (case `ROLLED_BACK`)',
    toDo: '[put the true document back, or ask the provider about every key](payouts.md#claims-of-attempts)',
  },
  {
    codes: ['CLAIM_OUT_OF_ORDER'],
    wrong:
      'a claim was made from a payout that lacked the claim before it; it was not sent. A warning once there is a case',
    toDo: 'the same',
  },
  {
    codes: ['CLAIM_REPEATED', 'CLAIM_OF_STRANGER'],
    wrong: 'a claim was copied, or is of no transfer',
    toDo: 'who else may write to `payout.attempts`? A copy changes nothing',
  },
  {
    codes: ['EXPIRED_NOT_ASKED'],
    wrong:
      'a payout is told as `EXPIRED` without the request that payout dispatch sealed for it: settlement has nothing priced again on it (`REQUEST_NOT_SEALED`)',
    toDo: "who else has the executor's keys? An executor of before 2026-11-30 tells it so",
  },
  {
    codes: ['MONEY_REPEATED', 'MONEY_MISSING', 'MONEY_UNFOUNDED'],
    wrong:
      'a movement of `transfer.money` is there twice, is not there, or no lifecycle row tells of it: reports are wrong',
    toDo: 'who else may write to the topic? Tell analysts; the rows of `transfer.lifecycle` have the money as it was',
  },
  {
    codes: ['STATE_MISSING', 'STATE_BEHIND', 'STATE_UNFOUNDED'],
    wrong: '`transfer.state` lacks a transfer, has it as it was before its latest row, or as no row has it',
    toDo: 'the same',
  },
  {
    codes: ['WATERMARK_FALSE'],
    wrong:
      'a watermark claimed that a time was complete, and this row of that time came later, or is in no grain: a report that was taken for final lacks it',
    toDo: 'set the clocks of the brokers right, or raise the tolerance; a report of that day is to be made again',
  },
  {
    codes: ['RATE_ROW_MISSING', 'RATE_ROW_REPEATED', 'RATE_ROW_DIFFERS', 'RATE_ROW_UNFOUNDED'],
    wrong:
      'a rate that its feed published has no row in `fx.rate-history`, a row is not newer than the one before it, says something else than the rate, or is of a rate that nobody published',
    toDo: 'closes of these days may be wrong: tell analysts (`rateId` counts a rate once). Who else may write to the topic? Was the offset of `rate-history` set?',
  },
  {
    codes: ['WEBHOOK_MISSING'],
    wrong: "an event that a producer's endpoint asked for is no delivery: the producer does not hear of it",
    toDo: 'tell the producer, who can ask for the transfer; find out who deleted it: a delivery is deleted after 30 days, or with its endpoint',
  },
  {
    codes: ['WEBHOOK_NOT_SEALED', 'WEBHOOK_DIFFERS'],
    wrong: 'an endpoint or a delivery was made or changed by somebody else, or says something else than the log',
    toDo: 'nothing of it is sent, but what was sent before it was changed; who else may write to the collection?',
  },
  {
    codes: ['RECORD_UNREADABLE'],
    wrong: 'a record does not decode; all others are checked all the same',
    toDo: 'who else may write to the topic? When its schema is newer: verify with a newer version',
  },
  {
    codes: ['LOG_TRIMMED'],
    wrong: 'retention took what was never verified',
    toDo: 'go on from an older checkpoint, or verify more often',
  },
] as const satisfies readonly FindingGroup[];

/** A stable, upper-case name of what is wrong. */
export type FindingCode = (typeof FINDING_GROUPS)[number]['codes'][number];
