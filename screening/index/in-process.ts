// An index on the caller's own thread: for small lists, tests and commands.
import type { OpenIndex } from '../ports.ts';
import { type IndexPlan, IndexRoom } from './built-index.ts';

export async function openIndexHere(plan: IndexPlan): Promise<OpenIndex> {
  const room = new IndexRoom(plan);
  return { screen: async (queries) => room.screen(queries), close: async () => undefined };
}
