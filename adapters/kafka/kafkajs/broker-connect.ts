// kafkajs 2.2.4 takes a broker for connected as soon as its socket is. While the first question on it (which versions it
// speaks) is under way, and for ever when that one times out, connecting does nothing and every request throws "Broker not
// connected". A machine that is starved, or a network that swallows some bytes, gets there. Here a broker is connected
// once it may be asked anything, and one that failed to connect gives its socket up: the next try has a fresh one.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

interface Broker {
  readonly lookupRequest: unknown;
  isConnected(): boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}
const BrokerClass = require('kafkajs/src/broker') as new (options: object) => Broker;
const { prototype } = BrokerClass as unknown as { prototype: Broker };

/** What a broker refuses requests with until it knows the versions. */
const NOT_INITIALISED = new BrokerClass({ connectionPool: {}, logger: { namespace: () => ({}) } }).lookupRequest;

/** Installs it; returns what takes it back. */
export function install(): () => void {
  const shipped = { isConnected: prototype.isConnected, connect: prototype.connect };
  prototype.isConnected = function () {
    return this.lookupRequest !== NOT_INITIALISED && shipped.isConnected.call(this);
  };
  prototype.connect = async function () {
    try {
      await shipped.connect.call(this);
    } catch (error) {
      await this.disconnect().catch(() => {});
      throw error;
    }
  };
  return () => {
    Object.assign(prototype, shipped);
  };
}
