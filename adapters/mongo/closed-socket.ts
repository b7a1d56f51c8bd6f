// A mend of the MongoDB driver 7.9.0. A command that is written to a socket which has just been closed without an error
// waits for a `drain` that never comes, and no timeout ends the wait. When it is the driver's own heartbeat, the server
// counts as away until the process is started again. With this, the command ends with the connection.
import { createRequire } from 'node:module';
import { MongoNetworkError } from 'mongodb';

interface Connection {
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
}
type WriteCommand = (this: Connection, command: unknown, options: unknown) => Promise<unknown>;

const require = createRequire(import.meta.url);
const MENDED_VERSION = '7.9.0';
const { Connection } = require('mongodb/lib/cmap/connection.js') as {
  readonly Connection: { readonly prototype: { writeCommand: WriteCommand } };
};
const shipped = Connection.prototype.writeCommand;

async function writeUnlessClosed(this: Connection, command: unknown, options: unknown): Promise<unknown> {
  const { promise: closed, reject } = Promise.withResolvers<never>();
  const onClose = () => reject(new MongoNetworkError('the connection was closed before the command was written'));
  if (this.closed) onClose();
  this.once('close', onClose);
  try {
    return await Promise.race([shipped.call(this, command, options), closed]);
  } finally {
    this.removeListener('close', onClose);
    closed.catch(() => undefined);
  }
}

/**
 * Puts the mend in place, or (false) the shipped code back, for every client of this process.
 * @throws Error when the driver is of another version: look whether it still needs this
 */
export function endCommandsWithTheirSocket(enabled = true): void {
  const { version } = require('mongodb/package.json') as { readonly version: string };
  if (version !== MENDED_VERSION) {
    throw new Error(
      `The mend of the MongoDB driver is for ${MENDED_VERSION}, and this is ${version}: check whether it is needed.`,
    );
  }
  Connection.prototype.writeCommand = enabled ? writeUnlessClosed : shipped;
}
