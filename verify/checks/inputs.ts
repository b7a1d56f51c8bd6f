// Every input record has exactly one end, and what became of it is what was asked for.

import { formatOrigin, parseOrigin } from '../../domain/transfers/origin-position.ts';
import { uetrOf } from '../../domain/transfers/uetr.ts';
import type { TransferAccepted, TransferRequested } from '../../schemas/types.generated.ts';
import type { Check, Run } from '../check.ts';
import { payloadDigest } from '../content-digests.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { InputEnd, PendingInput } from '../inputs.ts';
import { type AnySeen, positionOf } from '../transfer.ts';

const NAME = 'inputs';
const TOPIC = 'transfer.requested';
const OWNER = 'intake';

export const inputs: Check = {
  name: NAME,
  proves:
    'Every input record became a transfer, was rejected as an intent, was a counted duplicate, is a dead letter of intake, or is still to be handled: exactly one of these; and the transfer is what was asked for.',
  record(seen, run) {
    const end = endOf(seen);
    if (end === undefined) return;
    const { record, topic } = seen;
    const { name, origin: text, transferId } = end;
    const position = positionOf(topic, record.partition, record.offset);
    const say = (code: FindingCode, detail: string) => run.findings.add(NAME, { code, transferId, position, detail });
    const origin = parseOrigin(text);
    const known = origin && run.inputs.known(origin);
    if (known === 'before') {
      if (run.continues) say('INPUT_ENDED_TWICE', `its input ${text} had its end before the checkpoint`);
      return;
    }
    if (known === 'foreign' && TOPIC_ID.test(origin!.topicId)) {
      run.inputsGone.set(origin!.topicId, (run.inputsGone.get(origin!.topicId) ?? 0) + 1);
      return;
    }
    if (known !== 'present') {
      say('ORIGIN_WITHOUT_INPUT', `it names ${text} as its input, and there is none`);
      return;
    }
    if (!run.inputs.end(origin!, name)) say('INPUT_ENDED_TWICE', `its input ${text} came to an end before`);
    compare(seen, run, say);
  },
  async end(run) {
    for (const [topicId, events] of run.inputsGone) {
      const detail = `${events} events name inputs of ${TOPIC} ${topicId}, which is there no more: what was asked for there cannot be compared`;
      run.findings.add(NAME, { code: 'INPUTS_GONE', severity: 'warning', detail });
    }
    const lost: PendingInput[] = [];
    for (const input of run.inputs.all()) {
      const state = stateOf(input, run);
      run.inputsBy.set(state, (run.inputsBy.get(state) ?? 0) + 1);
      if (state === 'lost') lost.push(input);
    }
    const names = await keysOf(lost.slice(0, MAX_NAMED), run);
    for (const { partition, offset } of lost) {
      const position = positionOf(TOPIC, partition, offset);
      const transferId = names.get(position);
      const detail = 'intake has handled this input, and nothing came of it';
      const finding = {
        code: 'INPUT_LOST' as const,
        position,
        detail,
        ...(transferId === undefined ? {} : { transferId }),
      };
      run.findings.defer(NAME, finding, { subject: formatOrigin({ topicId: TOPIC, partition, offset }) });
    }
  },
};

const MAX_NAMED = 20;
/** As brokers tell it. */
const TOPIC_ID = /^[0-9a-f]{32}$/;

interface End {
  readonly name: InputEnd;
  readonly origin: string;
  readonly transferId: string;
}

function endOf({ topic, value }: AnySeen): End | undefined {
  switch (topic) {
    case 'transfer.accepted': {
      const { envelope, instruction } = value;
      return { name: 'accepted', origin: instruction.originPosition, transferId: envelope.transferId };
    }
    case 'intent.rejected':
      return { name: 'rejected', origin: value.originPosition, transferId: value.transferId };
    case 'intent.duplicated':
      return { name: 'duplicated', origin: value.originPosition, transferId: value.transferId };
    default:
      return undefined;
  }
}

type Say = (code: FindingCode, detail: string) => void;

/** The transfer is what its input asked for; a duplicate says what the first said. */
function compare({ topic, value }: AnySeen, run: Run, say: Say): void {
  if (topic === 'transfer.accepted') {
    const { originPosition, uetr } = value.instruction;
    // Null: of the time before there was one.
    if (uetr !== null && uetr !== uetrOf(value.envelope.transferId)) say('INTENT_ALTERED', 'its UETR is not its own');
    const origin = parseOrigin(originPosition)!;
    const asked = run.inputs.digestsAt(origin).payload;
    const made = payloadDigest(intentIn(value));
    const { partition, offset } = origin;
    const source = { owner: OWNER, topic: TOPIC, partition, offset };
    if (asked !== made && !run.trail.isEdited(source, { before: asked, after: made })) {
      say('INTENT_ALTERED', 'the transfer is not what its input asked for');
    }
    return;
  }
  if (topic !== 'intent.duplicated') return;
  const first = parseOrigin(value.firstOriginPosition);
  if (first === undefined || run.inputs.known(first) !== 'present') return;
  const own = parseOrigin(value.originPosition)!;
  if (first.partition === own.partition && first.offset === own.offset) {
    say('DUPLICATE_OF_ITSELF', 'it is called a duplicate of itself: the transfer is lost');
  } else if (run.inputs.digestsAt(own).payload !== run.inputs.digestsAt(first).payload) {
    say('DUPLICATE_DIFFERS', `it is called a duplicate of ${value.firstOriginPosition}, and says something else`);
  }
}

/** The intent that a transfer must have been made from. */
function intentIn({ envelope, instruction, parties }: TransferAccepted): TransferRequested {
  const { transferId } = envelope;
  return { transferId, ...instruction, parties };
}

function stateOf(input: PendingInput & { end: InputEnd | undefined }, run: Run): string {
  const { partition, offset, end } = input;
  const source = { owner: OWNER, topic: TOPIC, partition, offset };
  const dead = run.trail.openDeadLetters(source);
  const waits = run.trail.isWaiting(source);
  const ends = (end ? 1 : 0) + dead + (waits ? 1 : 0);
  if (ends > 1) {
    const position = positionOf(TOPIC, partition, offset);
    const detail = `${ends} ends: ${end ?? 'none'} by intake, ${dead} dead letters${waits ? ', and it waits' : ''}`;
    run.findings.add(NAME, { code: 'INPUT_ENDED_TWICE', position, detail });
  }
  if (end) return end;
  if (dead > 0) return 'deadLettered';
  if (!waits && run.trail.isDeadLettered(source)) return 'deadLettered';
  return waits || !run.cut.isHandled(OWNER, TOPIC, partition, offset) ? 'underWay' : 'lost';
}

/** Keys of lost inputs, by position: their producers' names for the transfers. */
async function keysOf(lost: readonly PendingInput[], run: Run): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for (const { partition, offset } of lost) {
    const range = { topic: TOPIC, partition, from: offset, to: offset + 1 };
    await run.sources.log.reader().read([range], ({ records }) => {
      for (const { key } of records) if (key) keys.set(positionOf(TOPIC, partition, offset), key.toString('utf8'));
    });
  }
  return keys;
}
