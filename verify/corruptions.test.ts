// Each corruption of the log that a check is for is planted in a history in agreement, and found. (Of what was paid and
// reserved: money-corruptions.test.ts; of the stores: store-corruptions.test.ts)
import { describe, expect, it } from 'vitest';
import { AT } from '../test/kit/builders.ts';
import type { Entry } from './testing/entry.ts';
import {
  type Corruption,
  change,
  cutAfter,
  drop,
  entryOf,
  expectFound,
  type Plant,
  rejectToo,
  repeat,
  verified,
} from './testing/plant.ts';

const NOBODYS_REVIEW = {
  holdId: 'other',
  decision: 'APPROVE',
  decidedBy: 'x',
  decidedAt: AT,
  evidenceHash: '',
  justification: '',
};

const LOG: readonly Corruption[] = [
  ['an input that nothing came of', 'completed', repeat('transfer.requested'), ['INPUT_LOST']],
  ['an input that became two transfers', 'completed', repeat('transfer.accepted'), ['INPUT_ENDED_TWICE']],
  ['a duplicate that was lost', 'duplicated', drop('intent.duplicated'), ['INPUT_LOST']],
  ['a dead letter of intake that was lost', 'undecodable', drop('intake.dlq'), ['INPUT_LOST']],
  ['a rejected intent that was lost', 'intent-rejected', drop('intent.rejected'), ['INPUT_LOST']],
  ['an input that was rejected and accepted', 'completed', rejectToo, ['INPUT_ENDED_TWICE']],
  ['a transfer from nowhere', 'completed', drop('transfer.requested'), ['ORIGIN_WITHOUT_INPUT']],
  [
    'a transfer that is not what was asked for',
    'completed',
    change('transfer.requested', (value) => {
      value.instructedAmount.minor += 1n;
    }),
    ['INTENT_ALTERED'],
  ],
  [
    'a duplicate that says something else',
    'duplicated',
    change(
      'transfer.requested',
      (value) => {
        value.endToEndId = 'E2E-other';
      },
      1,
    ),
    ['DUPLICATE_DIFFERS'],
  ],
  ['an event that is missing', 'completed', drop('transfer.priced'), ['ILLEGAL_PATH', 'LIFECYCLE_WITHOUT_EVENT']],
  ['an event that is there twice', 'completed', repeat('transfer.completed'), ['EVENT_REPEATED']],
  [
    'an id that stands for two things',
    'completed',
    repeat('transfer.priced', ({ value }) => {
      value.price.lockedAt += 1;
    }),
    ['EVENT_ID_CONFLICT'],
  ],
  [
    'a state that may not follow',
    'failed',
    change('transfer.rejected', (value) => {
      value.stage = 'SCREENING';
    }),
    ['ILLEGAL_PATH'],
  ],
  [
    'a wrong event id',
    'completed',
    change('transfer.reserved', (value) => {
      value.envelope.eventId = value.envelope.causationId;
    }),
    ['EVENT_ID_WRONG'],
  ],
  [
    'a wrong cause',
    'completed',
    change('transfer.reserved', (value) => {
      value.envelope.causationId = value.envelope.eventId;
    }),
    ['CAUSE_WRONG'],
  ],
  [
    'a wrong key',
    'completed',
    change('transfer.reserved', (_, entry) => {
      entry.key = 'transfer-000009';
    }),
    ['KEY_WRONG'],
  ],
  [
    'a wrong header',
    'completed',
    change('transfer.reserved', (_, entry) => {
      entry.headers['event-id'] = 'other';
    }),
    ['HEADER_WRONG'],
  ],
  [
    'a wrong hold id',
    'held',
    change('transfer.held', (value) => {
      value.hold.holdId = value.envelope.eventId;
    }),
    ['HOLD_ID_WRONG'],
  ],
  [
    'a payout with the id of another',
    'completed',
    change('payout.updated', (value) => {
      value.payout.payoutId = value.command.commandId;
    }),
    ['PAYOUT_ID_WRONG'],
  ],
  [
    'an account that was changed on the way',
    'completed',
    change('payout.requested', (value) => {
      value.parties['corridor.Parties'].creditor.account.value = '026291800001192';
    }),
    ['PARTIES_CHANGED'],
  ],
  [
    'an instruction that was changed on the way',
    'completed',
    change('transfer.reserved', (value) => {
      value.instruction.endToEndId = 'E2E-other';
    }),
    ['INSTRUCTION_CHANGED'],
  ],
  [
    'a price that was changed on the way',
    'completed',
    change('payout.requested', (value) => {
      value.price.credit.minor += 1n;
    }),
    ['PRICE_CHANGED', 'LIFECYCLE_DIFFERS'],
  ],
  [
    'evidence that was changed on the way',
    'completed',
    change('transfer.reserved', (value) => {
      value.screening.threshold = 0.1;
    }),
    ['EVIDENCE_CHANGED'],
  ],
  [
    'a reservation that was changed on the way',
    'completed',
    change('payout.requested', (value) => {
      value.reservation.uses = [];
    }),
    ['RESERVATION_CHANGED'],
  ],
  [
    'an approval that was changed on the way',
    'reviewed-limit',
    change('payout.requested', (value) => {
      value.reservation.approval.debit.minor += 1n;
    }),
    ['APPROVAL_CHANGED'],
  ],
  [
    'an approval that is lost on the way',
    'reviewed-limit',
    change('payout.requested', (value) => {
      value.reservation.approval = null;
    }),
    ['APPROVAL_CHANGED'],
  ],
  [
    'an approval that nobody gave',
    'completed',
    change('transfer.reserved', (value) => {
      value.reservation.approval = {
        review: NOBODYS_REVIEW,
        ruleIds: [],
        debit: value.price.debit,
      };
    }),
    ['APPROVAL_CHANGED'],
  ],
  [
    'a hold of limits that is resumed with an approval of another amount',
    'reviewed-limit',
    change('transfer.reserved', (value) => {
      value.reservation.approval.debit.minor += 1n;
    }),
    ['APPROVAL_UNDECIDED', 'APPROVAL_CHANGED'],
  ],
  [
    'a hold of limits that is resumed with the approval of another hold',
    'reviewed-limit',
    change('transfer.reserved', (value) => {
      value.reservation.approval.review.holdId = 'other';
    }),
    ['APPROVAL_UNDECIDED', 'APPROVAL_CHANGED'],
  ],
  [
    'a price that does not follow from its rates',
    'completed',
    change('transfer.priced', (value) => {
      value.price.credit.minor += 100n;
    }),
    ['PRICE_WRONG'],
  ],
  [
    'a price that another row made than the one that it names',
    'completed',
    change('transfer.priced', (value) => {
      value.price.terms.termIds[0] = 'EU-IN/margin';
    }),
    ['PRICE_NOT_BY_TERMS'],
  ],
  [
    'a price that binds longer than its terms say',
    'completed',
    change('transfer.priced', (value) => {
      value.price.expiresAt += 60_000;
    }),
    ['PRICE_NOT_BY_TERMS'],
  ],
  [
    'a date that its terms do not promise',
    'completed',
    change('transfer.priced', (value) => {
      value.price.availableAt = value.price.lockedAt;
    }),
    ['PRICE_NOT_BY_TERMS'],
  ],
  ['a transfer that stopped on its way', 'completed', cutAfter('transfer.screened'), ['TRANSFER_LOST']],
  ['a decision that nothing came of', 'approved', cutAfter('review.decided'), ['TRANSFER_LOST']],
  ['a payout outcome that nothing came of', 'completed', cutAfter('payout.updated'), ['TRANSFER_LOST']],
  ['a return that nothing came of', 'returned', cutAfter('payout.updated', 1), ['TRANSFER_LOST']],
  ['a lifecycle record that is missing', 'completed', drop('transfer.lifecycle', 2), ['LIFECYCLE_MISSING']],
  ['a position that is missing', 'completed', drop('fx.position'), ['POSITION_MISSING']],
  ['a position that was not taken back', 'returned', drop('fx.position', 1), ['POSITION_MISSING']],
  ['a position that is there twice', 'completed', repeat('fx.position'), ['POSITION_REPEATED']],
  [
    'a position of another amount',
    'completed',
    change('fx.position', (value) => {
      value.targetMinor += 1n;
    }),
    ['POSITION_DIFFERS'],
  ],
  [
    'a position that is taken back though nothing ended its price',
    'completed',
    repeat('fx.position', (entry) => {
      entry.value = { ...entry.value, change: 'RETURNED', sequence: 6 };
    }),
    ['POSITION_WITHOUT_PRICE', 'EVENT_ID_WRONG'],
  ],
  [
    'a position that nobody knows the meaning of',
    'completed',
    change('fx.position', (value) => {
      value.change = 'UNKNOWN';
    }),
    ['POSITION_MISSING', 'POSITION_WITHOUT_PRICE'],
  ],
  ['a lifecycle record that is there twice', 'completed', repeat('transfer.lifecycle'), ['LIFECYCLE_REPEATED']],
  [
    'a lifecycle record that says something else',
    'completed',
    change(
      'transfer.lifecycle',
      (value) => {
        value.creditMinor += 1n;
      },
      5,
    ),
    ['LIFECYCLE_DIFFERS'],
  ],
  ['a dead letter that is not told of', 'dead-lettered', drop('transfer.lifecycle', 1), ['DEAD_LETTER_UNMARKED']],
  [
    'a mark without its dead letter',
    'dead-lettered',
    drop('screening.dlq'),
    ['MARK_WITHOUT_DEAD_LETTER', 'TRANSFER_LOST'],
  ],
  ['a dead letter that was written twice', 'dead-lettered', repeat('screening.dlq'), ['DEAD_LETTER_REPEATED']],
  [
    'a dead letter of a record that is not there',
    'dead-lettered',
    change('screening.dlq', (_, { headers }) => {
      headers['source-offset'] = '1';
    }),
    ['DEAD_LETTER_OF_NOTHING', 'DEAD_LETTER_ID_WRONG'],
  ],
  [
    'a dead letter that is not its record',
    'undecodable',
    change('intake.dlq', (_, entry) => {
      entry.bytes = Buffer.from('other bytes');
    }),
    ['DEAD_LETTER_ALTERED'],
  ],
  [
    'a dead letter that does not say of what',
    'undecodable',
    change('intake.dlq', (_, { headers }) => {
      delete headers['source-topic'];
    }),
    ['DETOUR_WITHOUT_SOURCE', 'INPUT_LOST'],
  ],
  [
    'a record of the chain that does not decode',
    'completed',
    (history) => {
      const entry = entryOf(history, 'transfer.reserved');
      entry.value = undefined;
      entry.bytes = Buffer.from('no Avro');
    },
    ['RECORD_UNREADABLE'],
  ],
];

describe('a corruption is found', () => {
  it.each(LOG)('%s (%s)', (...corruption) => expectFound(corruption));

  describe('in what dispatch found when it looked again', () => {
    type More = (screening: Entry['value'], topic: string) => void;
    /** Each event from dispatch on has a look more, and what `more` makes of it. */
    const lookedAgain =
      (more: More): Plant =>
      (history) => {
        for (const topic of ['payout.requested', 'transfer.completed']) {
          change(topic, ({ screening }) => {
            const { rechecks: _, threshold: __, ...look } = structuredClone(screening);
            screening.rechecks = [{ ...look, reason: 'LISTS_CHANGED', screenedAt: AT, review: null }];
            more(screening, topic);
          })(history);
        }
      };
    const found = async (more: More) => Object.keys((await verified(['completed'], lookedAgain(more))).codes);

    it('a look more is none', async () => {
      expect(await found(() => undefined)).not.toContain('EVIDENCE_CHANGED');
    });

    it.each<[string, More]>([
      ['another first look beside it', (screening) => Object.assign(screening, { threshold: 0.1 })],
      ['an outcome that does not follow', (screening) => Object.assign(screening, { outcome: 'APPROVED' })],
      [
        'a look that settlement has and dispatch had not',
        (screening, topic) => topic === 'payout.requested' && Object.assign(screening, { rechecks: [] }),
      ],
    ])('%s is one', async (_, more) => {
      expect(await found(more)).toContain('EVIDENCE_CHANGED');
    });
  });

  it('a log that retention has trimmed', async () => {
    const report = await verified(['completed', 'completed'], undefined, ({ fixed }) => {
      fixed.trim('transfer.accepted', 0, 1);
      fixed.trim('transfer.accepted', 1, 1);
    });
    expect(Object.keys(report.codes)).toContain('LOG_TRIMMED');
  });
});
