// The parts of avsc's types that its declarations leave out: for walking values by their schema.
import type { Type } from 'avsc';

export interface Shape {
  readonly typeName: string;
  /** Of a record. */
  readonly fields?: readonly { readonly name: string; readonly type: Type; defaultValue(): unknown }[];
  /** Of an array. */
  readonly itemsType?: Type;
  /** Of a map. */
  readonly valuesType?: Type;
  /** Of a union. */
  readonly types?: readonly Type[];
  /** Of a member of a wrapped union: the name under which it is wrapped. */
  readonly branchName?: string;
}

export const shapeOf = (type: Type): Shape => type as unknown as Shape;
