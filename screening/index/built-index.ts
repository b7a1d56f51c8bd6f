// Where an index lives: built from packed versions, asked batch by batch. Everything here may run in a thread of its own.
import type { ListReference, PartyRole, ScreenedParty } from '../../schemas/types.generated.ts';
import { configFrom } from '../configuration.ts';
import { buildIndex, type Party as EngineParty, type ScreeningIndex, screenParty } from '../engine/index.ts';
import { diffLists, entitiesToScreen } from '../lists/index.ts';
import { toScreenedParty } from '../screened-party.ts';
import { unpackEntities } from '../versions/packed.ts';
import { engineReference } from '../versions/version.ts';

/** One source of an index: a whole version, or what it holds that an earlier one did not. */
export interface IndexPart {
  readonly list: ListReference;
  readonly chunks: readonly Uint8Array[];
  readonly since?: { readonly list: ListReference; readonly chunks: readonly Uint8Array[] };
}

export interface IndexPlan {
  readonly parts: readonly IndexPart[];
  /** Configurations that queries name, as what they change of the defaults. They may differ in thresholds only. */
  readonly configurations: readonly string[];
  /** The parts are differences: names that cannot be screened were found before. */
  readonly difference: boolean;
}

export interface IndexQuery {
  readonly role: PartyRole;
  readonly party: EngineParty;
  /** One of the plan's configurations. */
  readonly configuration: string;
}

/** An index over a plan. Building takes seconds for the full lists. */
export class BuiltIndex {
  readonly #views: ReadonlyMap<string, ScreeningIndex>;
  readonly #difference: boolean;

  constructor({ parts, configurations, difference }: IndexPlan) {
    this.#difference = difference;
    const sources = parts.map(({ list, chunks, since }) => {
      const after = unpackEntities(chunks, list.contentHash);
      const before = since && unpackEntities(since.chunks, since.list.contentHash);
      const entities = before ? entitiesToScreen(diffLists({ entities: before }, { entities: after })) : after;
      return { list: engineReference(list), entities };
    });
    const [first, ...others] = configurations.map(configFrom);
    const index = buildIndex(sources, first!.config);
    // Names are prepared by the weights, which all configurations share; thresholds are looked at when a party is judged.
    const views = others.map(
      ({ overrides, config, hash }) => [overrides, { ...index, config, configHash: hash }] as const,
    );
    this.#views = new Map([[first!.overrides, index], ...views]);
  }

  screen(queries: readonly IndexQuery[]): readonly ScreenedParty[] {
    return queries.map(({ role, party, configuration }) => {
      const index = this.#views.get(configuration);
      if (index === undefined) throw new RangeError('the index was not built for this configuration');
      return toScreenedParty(role, party, screenParty(index, party), this.#difference);
    });
  }
}
