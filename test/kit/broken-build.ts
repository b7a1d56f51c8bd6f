// Builds with a bug, for tests of what happens after one: pricing throws for one corridor, or stops at one transfer. A process
// has it when it starts with `brokenBuild(id)` or `stoppingBuild(id)` in its environment; all else in it is what is in the
// repository.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const CORRIDOR = 'CORRIDOR_TEST_BROKEN_CORRIDOR';
const PRICING = '/processors/fx-pricing/decide.ts';
const DECIDES = 'export function decide(input: PricingInput, context: PricingContext): Decision<PricingEvent> {\n';

const STOPPING = 'CORRIDOR_TEST_STOPPING_TRANSFER';

const withThis = (bug: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: [process.env['NODE_OPTIONS'], `--import=${pathToFileURL(import.meta.filename).href}`]
    .filter(Boolean)
    .join(' '),
  ...bug,
});

/** The environment of a process whose pricing breaks on each transfer of the corridor with this id. */
export const brokenBuild = (corridorId: string): NodeJS.ProcessEnv => withThis({ [CORRIDOR]: corridorId });

/** The environment of a process whose pricing cannot get past this transfer. */
export const stoppingBuild = (transferId: string): NodeJS.ProcessEnv => withThis({ [STOPPING]: transferId });

const broken = process.env[CORRIDOR];
const stopping = process.env[STOPPING];
const bugs = [
  ...(broken === undefined
    ? []
    : [`if (context.corridor?.id === ${JSON.stringify(broken)}) throw new TypeError('a bug of this build');`]),
  ...(stopping === undefined
    ? []
    : [
        `if (input.value.envelope.transferId === ${JSON.stringify(stopping)}) return stop('AMOUNT_SIDE_UNKNOWN', 'a bug of this build');`,
      ]),
];
if (bugs.length > 0) {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(PRICING)) return loaded;
      const source = String(loaded.source);
      if (!source.includes(DECIDES)) throw new Error(`${PRICING} does not begin to decide as this test expects`);
      return { ...loaded, source: source.replace(DECIDES, `${DECIDES}  ${bugs.join(' ')}\n`) };
    },
  });
}
