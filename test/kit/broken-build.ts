// A build with a bug, for tests of what happens after one: pricing throws for one corridor. A process has it when it starts
// with `brokenBuild(id)` in its environment; all else in it is what is in the repository.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const CORRIDOR = 'CORRIDOR_TEST_BROKEN_CORRIDOR';
const PRICING = '/processors/fx-pricing/decide.ts';
const DECIDES = 'export function decide(input: PricingInput, context: PricingContext): Decision<PricingEvent> {\n';

/** The environment of a process whose pricing breaks on each transfer of the corridor with this id. */
export const brokenBuild = (corridorId: string): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: [process.env['NODE_OPTIONS'], `--import=${pathToFileURL(import.meta.filename).href}`]
    .filter(Boolean)
    .join(' '),
  [CORRIDOR]: corridorId,
});

const broken = process.env[CORRIDOR];
if (broken !== undefined) {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(PRICING)) return loaded;
      const source = String(loaded.source);
      const bug = `if (context.corridor?.id === ${JSON.stringify(broken)}) throw new TypeError('a bug of this build');`;
      if (!source.includes(DECIDES)) throw new Error(`${PRICING} does not begin to decide as this test expects`);
      return { ...loaded, source: source.replace(DECIDES, `${DECIDES}  ${bug}\n`) };
    },
  });
}
