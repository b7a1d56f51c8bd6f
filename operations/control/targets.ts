// What can be paused, as people name it: `processor/limits`, `partition/limits/3`, `corridor/GB-IN`. A name that means nothing
// is refused: whoever pauses must not believe that something stands which goes on. Pure.
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ControlTarget } from '../../topics/control-key.ts';

/** What there is to be paused. */
export interface KnownTargets {
  /** Processors of the chain, and consumers beside it. */
  readonly processors: readonly string[];
  readonly partitions: number;
  readonly corridors: readonly string[];
  readonly providers: readonly string[];
  readonly rails: readonly string[];
}

const KINDS = ['PROCESSOR', 'PARTITION', 'CORRIDOR', 'PROVIDER', 'RAIL'] as const;

/** @throws CodedError CONTROL_TARGET_INVALID, which says what there is */
export function targetNamed(text: string, known: KnownTargets): ControlTarget {
  const [word = '', name = '', partition, ...more] = text.split('/');
  const kind = KINDS.find((each) => each === word.toUpperCase());
  if (!kind) throw invalid(text, `begin with one of: ${KINDS.join(', ').toLowerCase()}`);
  if (more.length > 0 || (partition !== undefined) !== (kind === 'PARTITION')) {
    throw invalid(text, kind === 'PARTITION' ? 'say partition/PROCESSOR/NUMBER' : `say ${word}/NAME`);
  }
  const names = namesOf(kind, known);
  const found = names.find((each) => each.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw invalid(text, `the name must be one of: ${names.join(', ')}`);
  if (kind !== 'PARTITION') return { kind, name: found };
  const number = Number(partition);
  if (/^\d+$/.test(partition!) && number < known.partitions) return { kind, name: found, partition: number };
  throw invalid(text, `the partition must be from 0 to ${known.partitions - 1}`);
}

function namesOf(kind: (typeof KINDS)[number], known: KnownTargets): readonly string[] {
  switch (kind) {
    case 'PROCESSOR':
    case 'PARTITION':
      return known.processors;
    case 'CORRIDOR':
      return known.corridors;
    case 'PROVIDER':
      return known.providers;
    case 'RAIL':
      return known.rails;
  }
}

const invalid = (text: string, why: string) =>
  new CodedError('CONTROL_TARGET_INVALID', `"${safeText(text, 100)}" is nothing that can be paused: ${why}`);
