// A mend of the MongoDB driver 7.9.0. With `directConnection=true` the driver turns every read that must come from the primary
// into one that a secondary answers too. With this, a read that asks for the primary stays one: a server that is not the primary
// (any more) refuses it, and whoever asked waits.
import { createRequire } from 'node:module';

interface Options {
  readonly directConnection?: boolean;
}
type PrepareCommand = (this: unknown, db: string, command: unknown, options: Options) => unknown;

const require = createRequire(import.meta.url);
const MENDED_VERSION = '7.9.0';
const { Connection } = require('mongodb/lib/cmap/connection.js') as {
  readonly Connection: { readonly prototype: { prepareCommand: PrepareCommand } };
};
const shipped = Connection.prototype.prepareCommand;

function prepareForPrimary(this: unknown, db: string, command: unknown, options: Options): unknown {
  const asked = options.directConnection === true ? { ...options, directConnection: false } : options;
  return shipped.call(this, db, command, asked);
}

/**
 * Puts the mend in place, or (false) the shipped code back, for every client of this process.
 * @throws Error when the driver is of another version: look whether it still needs this
 */
export function readFromPrimaryOnly(enabled = true): void {
  const { version } = require('mongodb/package.json') as { readonly version: string };
  if (version !== MENDED_VERSION) {
    throw new Error(
      `The mend of the MongoDB driver is for ${MENDED_VERSION}, and this is ${version}: check whether it is needed.`,
    );
  }
  Connection.prototype.prepareCommand = enabled ? prepareForPrimary : shipped;
}
