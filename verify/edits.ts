// What operators have edited of a record that was put aside: then what came of it carries something else than it did.
import type { Codec } from '../ports/codec.ts';
import type { LogRecord } from '../ports/log.ts';
import { editIn, withEdit } from '../processors/edits.ts';
import type { TransferRequested } from '../schemas/types.generated.ts';
import { contractOf, type TopicName } from '../topics/catalogue.ts';
import { headerText, RECOVERY_HEADER } from '../topics/headers.ts';
import { partiesDigest, payloadDigest } from './content-digests.ts';

/** Digests of what may be edited, before and after: of an intent its payload, of an event its parties. */
export interface EditFact {
  readonly before: number;
  readonly after: number;
}

/** The edit that a replay or retry bears; undefined: none that its stage would apply. */
export async function editFactOf(
  owner: string,
  topic: string,
  { headers, value: bytes }: LogRecord,
  codec: Codec,
): Promise<EditFact | undefined> {
  if (headers[RECOVERY_HEADER.edit] === undefined || contractOf(topic) === undefined) return undefined;
  const edit = editIn(headerText(headers, RECOVERY_HEADER.edit) ?? '');
  if (!edit) return undefined;
  const [read] = await codec.decode(topic as TopicName, [bytes]);
  if (!read?.ok) return undefined;
  const edited = withEdit<unknown>(owner, topic, read.value, edit);
  return edited.ok ? { before: digestOf(topic, read.value), after: digestOf(topic, edited.value) } : undefined;
}

function digestOf(topic: string, value: unknown): number {
  if (topic === 'transfer.requested') return payloadDigest(value as TransferRequested);
  return partiesDigest((value as { readonly parties: Readonly<Record<string, unknown>> }).parties);
}
