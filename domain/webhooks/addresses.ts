// Where webhooks may go: to the public internet, and to networks that an installation names. A URL of a producer must not
// have us talk to what stands beside us: loopback, private networks, link-local (where clouds keep their metadata). Pure.
import { BlockList, isIP } from 'node:net';
import { DomainError } from '../fault.ts';

/** Special-purpose networks by the registries of IANA (RFC 6890 and later): none of them is a public host. */
const NOT_PUBLIC: readonly string[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
/** Of IPv6 only what is assigned to hosts of the internet is public; these are the exceptions within. */
const PUBLIC_V6 = '2000::/3';
const NOT_PUBLIC_V6: readonly string[] = [
  ...['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'],
];
/** Addresses under which clouds give out credentials: never, whatever networks are named. */
const METADATA: readonly string[] = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32', '100.100.100.200/32'];
/** IPv4 within IPv6: mapped, and translated (NAT64). */
const EMBEDDED: readonly string[] = ['::ffff:0:0/96', '64:ff9b::/96'];

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Networks as `address/bits`. Keep it: making it costs more than asking it. */
export interface Networks {
  has(address: string): boolean;
}

const NETWORK = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/;

/** @throws DomainError NETWORKS_INVALID */
export function networks(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const [, address = '', bits = ''] = NETWORK.exec(text) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128))
      throw new DomainError('NETWORKS_INVALID', 'a network is an address and its bits, such as 10.20.0.0/16');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return { has: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) };
}

const notPublic = networks(NOT_PUBLIC);
const notPublicV6 = networks(NOT_PUBLIC_V6);
const publicV6 = networks([PUBLIC_V6]);
const metadata = networks(METADATA);
const embedded = networks(EMBEDDED);

/** The IPv4 address within one of IPv6, as its last 32 bits say it; undefined: it holds no such one. */
function embeddedV4(address: string): string | undefined {
  if (isIP(address) !== 6 || !embedded.has(address)) return undefined;
  // The URL parser writes every IPv6 address in one form: hexadecimal groups, compressed.
  const groups = new URL(`http://[${address.split('%')[0]!}]`).hostname.slice(1, -1).split(':');
  const [high = '0', low = '0'] = groups.slice(-2).map((group) => group || '0');
  const bits = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
}

/**
 * Whether we may connect to this address.
 * @param address IPv4 or IPv6 as text; any other text may not
 * @param allowed networks that are no public ones, and that may be reached all the same
 */
export function mayReach(address: string, allowed: Networks): boolean {
  const plain = address.split('%')[0]!;
  const family = isIP(plain);
  if (family === 0) return false;
  if (metadata.has(plain)) return false;
  const inner = embeddedV4(plain);
  if (inner !== undefined) return mayReach(inner, allowed);
  if (allowed.has(plain)) return true;
  return family === 4 ? !notPublic.has(plain) : publicV6.has(plain) && !notPublicV6.has(plain);
}

const MAX_URL_CHARACTERS = 1_000;

/**
 * Why a URL cannot be that of an endpoint, whatever its name resolves to; undefined: it can.
 * @param takesHttp whether it may be in clear: for trials alone
 */
export function urlFlaw(
  text: string,
  terms: { readonly takesHttp: boolean; readonly allowed: Networks },
): string | undefined {
  if (text.length > MAX_URL_CHARACTERS) return `it has more than ${MAX_URL_CHARACTERS} characters`;
  if (!URL.canParse(text)) return 'it is no URL';
  const { protocol, username, password, hash, hostname } = new URL(text);
  if (protocol !== 'https:' && !(terms.takesHttp && protocol === 'http:')) return 'it does not begin with https://';
  if (username !== '' || password !== '') return 'it holds a name or a password';
  if (hash !== '' || text.includes('#')) return 'it has a fragment';
  const literal = literalOf(hostname);
  if (literal !== undefined && !mayReach(literal, terms.allowed)) return 'its address is not a public one';
  return undefined;
}

/** The address that stands as the host of a URL; undefined: it is a name. */
export function literalOf(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}
