// The order of files: those that take minutes first, so that no worker is left alone with one at the end. A fresh clone has
// no times of an earlier run, and goes by the sizes of files, which say little of tests that wait for servers.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Starts of paths from the root, the longest first; files that are not named here come after. */
const LONGEST = [
  'test/e2e/api-contract',
  'test/e2e/killed-acts',
  'test/e2e/commands-over-api',
  'test/e2e/refused-over-http',
  'test/e2e/replays',
  'adapters/kafka/crash',
  'test/e2e/raise-partitions',
  'test/e2e/cases',
  'test/e2e/requote',
  'adapters/kafka/mute-broker',
  'test/e2e/mongo-troubles',
  'verify/verify.property',
  'screening/engine/quality',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = `${this.ctx.config.root}/`;
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((start) => moduleId.startsWith(root + start));
      return place === -1 ? LONGEST.length : place;
    };
    // Projects stay in their order, one behind the other.
    const projects = Map.groupBy(await super.sort(files), ({ project }) => project);
    return [...projects.values()].flatMap((some) => some.toSorted((a, b) => rank(a) - rank(b)));
  }
}
