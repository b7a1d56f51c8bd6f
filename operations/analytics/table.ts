// Rows for analysts: the fields of a record as flat columns, and where the record stood.
import { type AvroSchema, loadSchemas } from '../../schemas/load.ts';

/** `list`: JSON text of what the contract calls a list. `timestamp`: ms since 1970. */
export type ColumnKind = 'text' | 'int' | 'long' | 'timestamp' | 'flag' | 'list';
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

export type Cell = string | number | bigint | boolean | null;
/** Cells by column, in the order of the columns. */
export type Table = readonly (readonly Cell[])[];

/** Beside the fields: when the broker took the record, and where it stands. Together the last two name one row for ever. */
const PLACE: readonly Column[] = [
  { name: 'recordedAt', kind: 'timestamp' },
  { name: 'kafkaPartition', kind: 'int' },
  { name: 'kafkaOffset', kind: 'long' },
];

export interface Place {
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
}

/** The columns of a record, by its short name. */
export function columnsOf(record: string): readonly Column[] {
  const { fields } = loadSchemas().get(`corridor.${record}`)!;
  return [...fields!.map(({ name, type }): Column => ({ name, kind: kindOf(type) })), ...PLACE];
}

function kindOf(type: AvroSchema): ColumnKind {
  if (Array.isArray(type)) return kindOf(type.find((branch) => branch !== 'null')!);
  if (typeof type === 'string') return SIMPLE[type] ?? 'text';
  if (type.logicalType === 'timestamp-millis') return 'timestamp';
  return type.type === 'array' ? 'list' : kindOf(type.type);
}

const SIMPLE: Readonly<Record<string, ColumnKind>> = { int: 'int', long: 'long', boolean: 'flag' };

/** Gathers rows by column. */
export class Rows {
  readonly columns: readonly Column[];
  readonly #cells: Cell[][];

  constructor(columns: readonly Column[]) {
    this.columns = columns;
    this.#cells = columns.map(() => []);
  }

  get length(): number {
    return this.#cells[0]!.length;
  }

  get table(): Table {
    return this.#cells;
  }

  add(value: Readonly<Record<string, unknown>>, { timestamp, partition, offset }: Place): void {
    const cells = this.#cells;
    const fields = this.columns.length - PLACE.length;
    for (let at = 0; at < fields; at++) {
      const { name, kind } = this.columns[at]!;
      cells[at]!.push(cellOf(value[name], kind));
    }
    cells[fields]!.push(timestamp);
    cells[fields + 1]!.push(partition);
    cells[fields + 2]!.push(BigInt(offset));
  }
}

function cellOf(value: unknown, kind: ColumnKind): Cell {
  if (value === null || value === undefined) return null;
  if (kind === 'list')
    return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? inner.toString() : inner));
  if (kind === 'long') return BigInt(value as number | bigint);
  return value as Cell;
}
