// Every topic contract, by name.

import * as edges from './boundary.ts';
import * as chain from './chain.ts';

export const contracts = { ...chain, ...edges };

type Contracts = typeof contracts;
export type AnyContract = Contracts[keyof Contracts];
/** Value type of each topic, by topic name. */
export type TopicValues = {
  [C in AnyContract as C['name']]: C extends { keyOf: (value: infer V) => string } ? V : never;
};
export type TopicName = keyof TopicValues;

const byName = new Map<string, AnyContract>(Object.values(contracts).map((contract) => [contract.name, contract]));

/** The contract of a topic, or undefined for recovery topics and strangers. */
export function contractOf(name: string): AnyContract | undefined {
  return byName.get(name);
}
