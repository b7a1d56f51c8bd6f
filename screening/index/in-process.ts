// An index on the caller's own thread: for small lists, tests and commands.
import type { OpenIndex } from '../ports.ts';
import { BuiltIndex, type IndexPlan } from './built-index.ts';

export async function openInProcessIndex(plan: IndexPlan): Promise<OpenIndex> {
  const index = new BuiltIndex(plan);
  return { screen: async (queries) => index.screen(queries), close: async () => undefined };
}
