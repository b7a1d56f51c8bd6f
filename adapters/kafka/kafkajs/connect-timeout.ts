// kafkajs 2.2.4 gives a connection up by a timer. When the event loop stood still for longer, timer and socket are due
// together, and the timer comes first: a broker that is there counts as away. Here the timer counts only the time in which the
// loop turned, and a socket that has connected meanwhile is seen.
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { loopTimeout } from '../../loop-timeout.ts';

const require = createRequire(import.meta.url);

/** For the timer as shipped, which is set while `connect` is called, ms: no loop stands still for so long and lives. */
const NEVER_MS = 3_600_000;

interface Connection {
  connectionTimeout: number;
  readonly socket: Socket | undefined;
  isConnected(): boolean;
  connect(): Promise<boolean>;
}
const { prototype } = require('kafkajs/src/network/connection') as { readonly prototype: Connection };

/** Installs it; returns what takes it back. */
export function install(): () => void {
  const shipped = prototype.connect;
  prototype.connect = function () {
    if (this.isConnected()) return shipped.call(this);
    const timeoutMs = this.connectionTimeout;
    this.connectionTimeout = NEVER_MS;
    const connecting = shipped.call(this);
    this.connectionTimeout = timeoutMs;
    const { socket } = this;
    // As an error of the socket it also ends the shipped timer.
    const callOff = loopTimeout(timeoutMs, () => socket?.destroy(new Error('Connection timeout')));
    connecting.then(callOff, callOff);
    return connecting;
  };
  return () => {
    prototype.connect = shipped;
  };
}
