// Approvals as programs use them: in MongoDB, with the places at which a test may end the program.
import { approvals } from '../adapters/mongo/approvals.ts';
import type { ActFailpoint } from '../ports/act-failpoints.ts';
import { failpoint } from '../runtime/failpoints.ts';

const at = (name: ActFailpoint) => failpoint(name);

export function approvalStore(db: Parameters<typeof approvals>[0]): ReturnType<typeof approvals> {
  const store = approvals(db);
  return {
    ...store,
    async insert(...asked) {
      const isNew = await store.insert(...asked);
      await at('approvals.after-insert');
      return isNew;
    },
    async decide(...deciding) {
      const isDecided = await store.decide(...deciding);
      await at('approvals.after-decide');
      return isDecided;
    },
    async begin(...beginning) {
      const hasBegun = await store.begin(...beginning);
      await at('approvals.after-begin');
      return hasBegun;
    },
    async end(...ending) {
      await at('approvals.before-end');
      const hasEnded = await store.end(...ending);
      await at('approvals.after-end');
      return hasEnded;
    },
  };
}
