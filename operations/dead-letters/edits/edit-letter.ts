// Edits of letters in a frozen replay: made of a patch, checked against the record as the log has it, and part of what is
// approved. The letter itself stays as it is.
import { personName } from '../../../domain/people/identities.ts';
import type { Codec } from '../../../ports/codec.ts';
import { CodedError, isCoded } from '../../../ports/fault.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { type Edit, editableFields, editIn, editText, fieldAt, withEdit } from '../../../processors/edits.ts';
import { recordContentOf } from '../../../schemas/record-content.ts';
import { contractOf, type TopicName } from '../../../topics/catalogue.ts';
import { headerText, RECOVERY_HEADER } from '../../../topics/headers.ts';
import { maskedName, type Sight } from '../../access/masking.ts';
import type { ReplayLog, Replays } from '../replays/ports.ts';
import { changed, findReplay, MAX_LETTERS, moved } from '../replays/prepare.ts';
import { type LetterEdit, type ReplayDocument, type ReplayItem, selectionHash } from '../replays/replay.ts';
import { editOf, type PatchStep } from './patch.ts';

export interface EditComponents {
  readonly replays: Replays;
  readonly log: Pick<ReplayLog, 'letters'>;
  readonly codec: Pick<Codec, 'load' | 'encode' | 'decode'>;
}

export interface Editing {
  readonly id: string;
  readonly letterId: string;
  /** Null: it is sent as it is, after all. */
  readonly patch: readonly PatchStep[] | null;
  readonly by: string;
  readonly at: Date;
  /** Of who asks: where theirs is a program without stages, the runner tries the replay again. */
  readonly dryRunBy?: 'runner';
}

/**
 * Sets what is edited of one letter of a frozen replay. Its dry run is void then. The hash first: dies it in between, the
 * letters are not what the hash says, and nothing can be tried or sent until the edit is set again.
 *
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED, LETTER_NOT_IN_REPLAY, LETTER_NOT_EDITABLE, LETTER_GONE, LETTER_FORGED,
 * EDIT_INVALID, EDIT_LOCKED, EDIT_TEST_FAILED
 */
export async function editLetter(parts: EditComponents, editing: Editing): Promise<ReplayDocument> {
  const { replays } = parts;
  const { id, letterId, patch, at, dryRunBy } = editing;
  const by = personName(editing.by);
  const replay = await findReplay(replays, id);
  if (replay.state !== 'FROZEN') throw moved(replay, 'only letters of a frozen replay can be edited');
  if (replay.discard) throw new CodedError('LETTER_NOT_EDITABLE', 'what is discarded is decided by nobody');
  const item = await itemOf(replays, id, letterId);
  const edit: LetterEdit | null = patch === null ? null : { text: await textOf(parts, replay, item, patch), by, at };
  const items = (await replays.items(id, {}, MAX_LETTERS)).map((each) =>
    each._id === item._id ? { ...each, edit } : each,
  );
  const to: Partial<ReplayDocument> = {
    selectionHash: selectionHash(replay.owner, items),
    edited: items.filter((each) => each.edit).length,
    dryRun: null,
    dryRunWanted: dryRunBy === 'runner' ? { by } : null,
  };
  await changed(replays, replay, to);
  await replays.edit(item._id, edit);
  return { ...replay, ...to, version: replay.version + 1 };
}

async function itemOf(replays: Pick<Replays, 'item'>, id: string, letterId: string): Promise<ReplayItem> {
  const item = await replays.item(id, letterId);
  if (item?.state === 'SELECTED') return item;
  throw new CodedError('LETTER_NOT_IN_REPLAY', `replay ${id.slice(0, 100)} has not selected this letter`);
}

async function textOf(
  { log, codec }: EditComponents,
  { owner }: ReplayDocument,
  item: ReplayItem,
  patch: readonly PatchStep[],
): Promise<string> {
  const { topic, value } = await readLetter({ log, codec }, owner, item);
  const edit = editOf(owner, topic, value, patch);
  const edited = withEdit(owner, topic, value, edit);
  if (!edited.ok) throw new CodedError('EDIT_INVALID', edited.detail);
  // As its stage would hand it on: the schema takes it, and reads the same from it.
  const [read] = await codec.decode(topic, [codec.encode(topic, edited.value as never)]);
  const { record } = contractOf(topic)!;
  if (!read?.ok || recordContentOf(record, read.value) !== recordContentOf(record, edited.value))
    throw new CodedError('EDIT_INVALID', `the schema of ${topic} does not keep the edited record as it is`);
  return editText(edit);
}

/** Letters that nobody waits for, or that nobody can read. */
const NOT_EDITABLE: ReadonlySet<string | undefined> = new Set(['undecodable', 'unproven', 'repeated']);

interface ReadLetter {
  readonly topic: TopicName;
  readonly value: unknown;
}

/** @throws CodedError LETTER_GONE, LETTER_FORGED, LETTER_NOT_EDITABLE */
async function readLetter(
  { log, codec }: Omit<EditComponents, 'replays'>,
  owner: string,
  { place, letterId }: Pick<ReplayItem, 'place' | 'letterId'>,
): Promise<ReadLetter> {
  const { found } = await log.letters(owner, [place]);
  const record = found.get(placeKey(place));
  if (!record) throw new CodedError('LETTER_GONE', 'the log has not kept this letter');
  const topic = editableTopic(owner, record, letterId);
  await codec.load([topic]);
  const [read] = await codec.decode(topic, [record.value]);
  if (read?.ok) return { topic, value: read.value };
  throw new CodedError('LETTER_NOT_EDITABLE', `it does not decode: ${read?.code ?? 'EMPTY_VALUE'}`);
}

const placeKey = ({ partition, offset }: ReplayItem['place']): string => `${partition}/${offset}`;

function editableTopic(owner: string, { headers }: LogRecord, letterId: string): TopicName {
  if (headerText(headers, RECOVERY_HEADER.deadLetterId) !== letterId)
    throw new CodedError('LETTER_FORGED', 'where the index says that it stands is another letter');
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic) ?? '';
  const letterClass = headerText(headers, RECOVERY_HEADER.deadLetterClass);
  const isClaimed = headers[RECOVERY_HEADER.claimedTopic] !== undefined;
  if (!isClaimed && !NOT_EDITABLE.has(letterClass) && editableFields(owner, topic).length > 0)
    return topic as TopicName;
  const detail = `of a letter of ${owner} that is ${letterClass ?? 'unclassed'} and of ${topic.slice(0, 60)} nothing may be edited`;
  throw new CodedError('LETTER_NOT_EDITABLE', detail);
}

/** What an edit does to one field, as somebody may see it. */
export interface ShownChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly isMasked: boolean;
}

export interface ShownEdit {
  readonly letterId: string;
  readonly transferId: string | null;
  readonly by: string;
  readonly at: Date;
  /** Empty: the log has not kept the letter, or the edit changes nothing. */
  readonly changes: readonly ShownChange[];
}

/** Edits are made by hand, one by one. */
const MAX_SHOWN = 200;

/**
 * The edits of a replay, each beside what it changes. What may name people is masked by `sight`.
 * @throws CodedError EVIDENCE_CHANGED
 */
export async function shownEdits(
  { replays, log, codec }: EditComponents,
  { _id, owner, edited, selectionHash: hash }: ReplayDocument,
  sight: Sight,
): Promise<readonly ShownEdit[]> {
  if (!edited) return [];
  const all = await replays.items(_id, {}, MAX_LETTERS);
  // What is shown must be what the hash is over, which is approved.
  if (selectionHash(owner, all) !== hash)
    throw new CodedError('EVIDENCE_CHANGED', 'its letters are being edited, or are not what was selected: look again');
  const items = all.filter(({ edit }) => edit).slice(0, MAX_SHOWN);
  const { found } = await log.letters(
    owner,
    items.map(({ place }) => place),
  );
  // Letters of one owner that may be edited are all of one topic.
  const records = items.map((item) => readableOf(owner, found.get(placeKey(item.place)), item.letterId));
  const topic = records.find((each) => each !== undefined)?.topic;
  if (topic) await codec.load([topic]);
  const values = topic
    ? await codec.decode(
        topic,
        records.map((each) => each?.value ?? null),
      )
    : [];
  return items.flatMap(({ letterId, transferId, edit }, i) => {
    if (!edit) return [];
    const read = values[i];
    const letter = read?.ok && topic ? { topic, value: read.value } : undefined;
    const changes = letter ? (editIn(edit.text) ?? []).map((each) => shownChange(owner, letter, each, sight)) : [];
    return [{ letterId, transferId, by: edit.by, at: edit.at, changes }];
  });
}

function readableOf(owner: string, record: LogRecord | undefined, letterId: string) {
  if (!record) return undefined;
  try {
    return { topic: editableTopic(owner, record, letterId), value: record.value };
  } catch (error) {
    if (isCoded(error)) return undefined;
    throw error;
  }
}

function shownChange(owner: string, { topic, value }: ReadLetter, { path, value: to }: Edit[number], sight: Sight) {
  const isPersonal = editableFields(owner, topic).find((field) => field.path === path)?.isPersonal ?? true;
  const shown = (text: string | null) => (text === null || !isPersonal ? text : maskedName(text, sight));
  return {
    path,
    before: shown(fieldAt(value, path) ?? null),
    after: shown(to),
    isMasked: isPersonal && sight !== 'full',
  };
}
