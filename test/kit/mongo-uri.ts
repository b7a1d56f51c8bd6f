// Connection strings that lead elsewhere, out of the one that a test was given: users, passwords, TLS and database stay, so
// that the test runs on a server with authentication too.
import type { MongoClient } from 'mongodb';

const PARTS = /^(mongodb:\/\/)((?:[^@/]*@)?)[^/?]+(\/[^?]*)?(?:\?(.*))?$/;
/** How the driver looks for servers: it must take the one that it is given. */
const TOPOLOGY = /^(replicaSet|directConnection|loadBalanced|readPreference)=/i;
const TLS = /^(tls|ssl)=true$/i;

/** The same connection string by way of a proxy at `address` (host:port), as the only server. Not for `mongodb+srv`. */
export function behind(uri: string, address: string): string {
  const [, scheme, user, path = '/', options = ''] = PARTS.exec(uri) ?? [];
  if (scheme === undefined) throw new Error('the proxy needs a connection string that names its servers: mongodb://…');
  const kept = options.split('&').filter((option) => option !== '' && !TOPOLOGY.test(option));
  // The certificate is of the server's name, which the proxy does not have.
  const named = kept.some((option) => TLS.test(option)) ? ['tlsAllowInvalidHostnames=true'] : [];
  return `${scheme}${user}${address}${path}?${[...kept, 'directConnection=true', ...named].join('&')}`;
}

/** Where the server stands that takes writes. */
export async function primaryAddress(client: MongoClient): Promise<{ readonly host: string; readonly port: number }> {
  const { directConnection, hosts, replicaSet } = client.options;
  const [only] = hosts;
  // A member that is reached directly may call itself by a name that leads nowhere from here.
  if (only && (directConnection || (hosts.length === 1 && !replicaSet))) return addressOf(only.toString());
  const { primary } = await client.db('admin').command({ hello: 1 });
  if (typeof primary !== 'string') throw new Error('the replica set has no primary');
  return addressOf(primary);
}

function addressOf(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
