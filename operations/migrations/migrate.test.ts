import { describe, expect, it } from 'vitest';
import { migrate, migrationStatus } from './migrate.ts';
import type { Migration, MigrationFacts, SchemaStore, StoresSchema } from './ports.ts';
import { checkStores, UNSTATED } from './standing.ts';

const facts = (version: number, more: Partial<MigrationFacts> = {}): MigrationFacts => ({
  version,
  name: `to-${version}`,
  does: '',
  oldestReader: version,
  isRequired: true,
  ...more,
});
const stores = (version: number, oldestReader = version): StoresSchema => ({ ...UNSTATED, version, oldestReader });

describe('code and stores', () => {
  it.each<[string, readonly MigrationFacts[], StoresSchema | undefined, string | readonly number[]]>([
    ['of one version', [facts(1)], stores(1), []],
    ['that say nothing of themselves, without migrations', [], undefined, []],
    ['that are newer', [facts(1)], stores(2), 'STORES_NEWER'],
    ['that are newer, and readable', [facts(1)], stores(2, 1), []],
    ['that are older, and must be migrated first', [facts(1), facts(2)], stores(1), 'STORES_TOO_OLD'],
    ['that are older, where it need not be', [facts(1), facts(2, { isRequired: false })], stores(1), [2]],
    [
      'of two versions before, one of them needed',
      [facts(1), facts(2, { isRequired: false })],
      undefined,
      'STORES_TOO_OLD',
    ],
  ])('stores %s', (_, known, stored, expected) => {
    const check = () => checkStores(known, stored).map(({ version }) => version);
    if (typeof expected === 'string') expect(check).toThrow(expect.objectContaining({ code: expected }));
    else expect(check()).toEqual(expected);
  });
});

/** Documents by id, each with the version that it is of, and what a store of them says. */
class Stores implements SchemaStore {
  documents = new Map<string, number>();
  schema: StoresSchema | undefined;
  clock = 1_000;
  /** Called around each page: the end of a process, or an older one at work. */
  beforePage: () => void = () => undefined;
  afterPage: () => void = () => undefined;

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.documents.set(`d${String(i).padStart(3, '0')}`, 0);
  }

  /** Two documents a page. */
  migration(version: number): Migration {
    const isOld = ([, of]: [string, number]) => of < version;
    return {
      ...facts(version),
      pending: async () => [...this.documents].filter(isOld).length,
      page: async (after) => {
        this.beforePage();
        const old = [...this.documents].filter(isOld).sort();
        const next = old.filter(([id]) => after === undefined || id > after).slice(0, 2);
        for (const [id] of next) this.documents.set(id, version);
        this.afterPage();
        return { changed: next.length, after: next.length < 2 ? undefined : next.at(-1)![0] };
      },
    };
  }

  now = async () => this.clock;
  read = async () => this.schema;
  async begin(version: number, owner: string) {
    const schema = this.schema ?? UNSTATED;
    if (schema.version < version - 1 || (schema.run && schema.run.until > this.clock)) return undefined;
    const from = schema.run?.version === version ? schema.run : { after: null, changed: 0 };
    const { after, changed } = from;
    this.schema = { ...schema, run: { version, owner, until: this.clock + 60, after, changed } };
    return { after, changed };
  }
  async advance(owner: string, at: { after: string | null; changed: number }) {
    const run = this.schema?.run;
    if (run?.owner !== owner) return false;
    this.schema = { ...this.schema!, run: { ...run, ...at, until: this.clock + 60 } };
    return true;
  }
  async finish(owner: string, done: StoresSchema['applied'][number], oldestReader: number) {
    const { schema } = this;
    if (schema?.run?.owner !== owner) return false;
    const version = Math.max(schema.version, done.version);
    this.schema = { version, oldestReader, applied: [...schema.applied, done], run: null };
    return true;
  }
  async release(owner: string) {
    const run = this.schema?.run;
    if (run?.owner === owner) this.schema = { ...this.schema!, run: { ...run, until: 0 } };
  }
}

const as = (owner: string) => ({ owner, by: 'amara' });
const all = (stores: Stores, ...versions: readonly number[]) => versions.map((version) => stores.migration(version));
const refused = (code: string) => expect.objectContaining({ code });

describe('migrations', () => {
  it('are applied in order, once', async () => {
    const stores = new Stores(5);
    const applied = await migrate(stores, all(stores, 1, 2), as('a'));
    expect(applied.map(({ version, changed }) => [version, changed])).toEqual([
      [1, 5],
      [2, 5],
    ]);
    expect([...stores.documents.values()]).toEqual([2, 2, 2, 2, 2]);
    expect(stores.schema).toMatchObject({ version: 2, run: null });
    expect(await migrate(stores, all(stores, 1, 2), as('b'))).toEqual([]);
  });

  it('tell what they would change, and change nothing', async () => {
    const stores = new Stores(3);
    const { migrations } = await migrationStatus(stores, all(stores, 1));
    expect(migrations).toMatchObject([{ version: 1, isApplied: false, documents: 3 }]);
    expect([...stores.documents.values()]).toEqual([0, 0, 0]);
    expect(stores.schema).toBeUndefined();
  });

  it('go on where a process died, once its lock has expired', async () => {
    const stores = new Stores(9);
    let pages = 0;
    const died = new Error('killed');
    stores.beforePage = () => {
      if (++pages === 3) throw died;
    };
    // A process that dies gives nothing back.
    stores.release = async () => undefined;
    await expect(migrate(stores, all(stores, 1), as('a'))).rejects.toBe(died);
    expect(stores.schema?.run).toMatchObject({ after: 'd003', changed: 4 });
    await expect(migrate(stores, all(stores, 1), as('b'))).rejects.toEqual(refused('MIGRATION_RUNNING'));
    stores.clock += 61;
    const [done] = await migrate(stores, all(stores, 1), as('b'));
    expect(done?.changed).toBe(9);
  });

  it('begin again at once after a fault', async () => {
    const stores = new Stores(4);
    stores.beforePage = () => {
      throw new Error('MongoDB is away');
    };
    await expect(migrate(stores, all(stores, 1), as('a'))).rejects.toThrow('away');
    stores.beforePage = () => undefined;
    expect(await migrate(stores, all(stores, 1), as('b'))).toHaveLength(1);
  });

  it('stop a process that was silent for too long: its successor ends it', async () => {
    const stores = new Stores(9);
    const slow = stores.migration(1);
    let isOverdue = false;
    const stalled = {
      ...slow,
      page: async (after: string | undefined) => {
        if (!isOverdue) {
          isOverdue = true;
          stores.clock += 61;
          await migrate(stores, all(stores, 1), as('b'));
        }
        return slow.page(after);
      },
    };
    await expect(migrate(stores, [stalled], as('a'))).rejects.toEqual(refused('MIGRATION_LOST'));
    expect(stores.schema).toMatchObject({ version: 1, run: null });
    expect(stores.schema?.applied).toHaveLength(1);
  });

  it('look again for what an older process wrote behind them, also when they were applied before', async () => {
    const stores = new Stores(4);
    let late = 0;
    stores.afterPage = () => {
      if (++late === 2) stores.documents.set('c', 0);
    };
    await migrate(stores, all(stores, 1), as('a'));
    expect([...stores.documents.values()].every((version) => version === 1)).toBe(true);
    stores.documents.set('b', 0);
    expect(await migrate(stores, all(stores, 1), as('a'))).toMatchObject([{ version: 1, changed: 1 }]);
  });

  it('do not end while older processes write on, and say so', async () => {
    const stores = new Stores(1);
    stores.afterPage = () => stores.documents.set(`a${stores.documents.size}`, 0);
    await expect(migrate(stores, all(stores, 1), as('a'))).rejects.toEqual(refused('MIGRATION_UNFINISHED'));
    expect(stores.schema?.version).toBe(0);
  });

  it('leave nothing out when somebody has written how far one came', async () => {
    const stores = new Stores(4);
    stores.schema = { ...UNSTATED, run: { version: 1, owner: 'x', until: 0, after: 'd999', changed: 0 } };
    expect(await migrate(stores, all(stores, 1), as('a'))).toMatchObject([{ changed: 4 }]);
  });

  it('are none of stores that are newer', async () => {
    const stores = new Stores(1);
    stores.schema = { ...UNSTATED, version: 3, oldestReader: 3 };
    await expect(migrate(stores, all(stores, 1), as('a'))).rejects.toEqual(refused('STORES_NEWER'));
  });
});
