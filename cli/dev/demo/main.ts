// `npm start`: the local stack, the provider simulator and the whole pipeline, fed with sample transfers and watched.
import { Command } from 'commander';
import { CodedError } from '../../../ports/fault.ts';
import { explain, printError } from '../../output.ts';
import { runDemo } from './demo.ts';

const options = new Command('npm start --')
  .description('Start everything, feed sample transfers and show what becomes of them.')
  .option('--transfers <n>', 'how many sample transfers', '1000')
  .option('--rate <n>', 'records a second; default: as fast as they are taken')
  .option('--seed <n>', 'the same seed gives the same mix', '1')
  .option('--exit', 'end when every transfer has reached its end; the exit code says whether all is as expected')
  .option('--json <file>', 'write the summary to this file')
  .option('--timeout <seconds>', 'give up when nothing has moved for so long', '60')
  .addHelpText('after', '\nExample:\n  npm start -- --transfers 1000 --exit --json summary.json')
  .parse()
  .opts<{ transfers: string; rate?: string; seed: string; exit?: boolean; json?: string; timeout: string }>();

/** A positive whole number, or a message that says what was wrong. */
function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new CodedError('OPTION_INVALID', `--${name} must be a positive whole number (it is "${text}")`);
}

try {
  const { json, rate } = options;
  process.exitCode = await runDemo({
    transfers: count('transfers', options.transfers),
    seed: count('seed', options.seed),
    exit: options.exit ?? false,
    quietMs: count('timeout', options.timeout) * 1_000,
    ...(rate === undefined ? {} : { rate: count('rate', rate) }),
    ...(json === undefined ? {} : { json }),
  });
} catch (error) {
  printError(`\n${explain(error)}`);
  process.exitCode = 1;
}
// Whatever still holds a handle open has nothing left to do.
process.exit();
