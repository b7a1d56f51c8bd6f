// Names are resolved by us, once for each connection, so that no name can point elsewhere between a look and the connection.
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { mayReach, type Networks } from '../../domain/webhooks/addresses.ts';

export type Resolve = (hostname: string) => Promise<readonly Address[]>;
interface Address {
  readonly address: string;
  readonly family: number;
}

/** Code of a name that resolves to what may not be reached. */
export const ADDRESS_REFUSED = 'WEBHOOK_ADDRESS_REFUSED';

/** Names that are being looked up. The system does few at a time: one whose servers are silent is asked for once at a time. */
const lookups = new Map<string, ReturnType<Resolve>>();

export const systemResolve: Resolve = (hostname) => {
  const underWay = lookups.get(hostname);
  if (underWay) return underWay;
  const asked = lookedUp(hostname).finally(() => lookups.delete(hostname));
  lookups.set(hostname, asked);
  return asked;
};

const lookedUp: Resolve = (hostname) =>
  new Promise((resolve, reject) => {
    lookup(hostname, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

class AddressRefused extends Error {
  readonly code = ADDRESS_REFUSED;
}

/** Resolves a name to its addresses, if all of them may be reached. */
export function guardedLookup(resolve: Resolve, allowed: Networks): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const isClean = addresses.length > 0 && addresses.every(({ address }) => mayReach(address, allowed));
        if (!isClean) return callback(new AddressRefused('an address that may not be reached'), '', 0);
        if (options.all)
          return callback(
            null,
            addresses.map((each) => ({ ...each })),
          );
        const [first] = addresses;
        callback(null, first!.address, first!.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, '', 0),
    );
  };
}
