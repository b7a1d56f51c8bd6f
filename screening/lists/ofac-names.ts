import type { EntityDraft, ListBuilder } from './build.ts';
import type { NameKind, NameQuality } from './entity.ts';

/** Adds a name as OFAC prints it: persons as `FAMILY, Given`. */
export function addOfacName(
  builder: ListBuilder,
  draft: EntityDraft,
  name: string,
  kind: NameKind,
  quality: NameQuality = 'strong',
): void {
  const comma = draft.type === 'person' ? name.indexOf(',') : -1;
  if (comma <= 0) {
    builder.addName(draft, name, kind, quality);
    return;
  }
  const family = name.slice(0, comma).trim();
  const given = name.slice(comma + 1).trim();
  builder.addName(draft, name, kind, quality, given === '' ? { family } : { family, given });
}
