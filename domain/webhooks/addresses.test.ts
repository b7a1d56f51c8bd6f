import { describe, expect, it } from 'vitest';
import { mayReach, networks, urlFlaw } from './addresses.ts';

const NONE = networks([]);
const OWN = networks(['10.20.0.0/16', '127.0.0.0/8', '::1/128', 'fd12::/16', '169.254.0.0/16']);

const PUBLIC = [
  ...['8.8.8.8', '1.1.1.1', '93.184.216.34', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1'],
  ...['192.167.255.255', '192.169.0.1', '198.17.0.1', '198.20.0.1', '223.255.255.255', '169.253.0.1'],
  ...['2606:4700:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8', '::ffff:808:808', '64:ff9b::8.8.8.8'],
];
const REFUSED = [
  // Loopback, this network, broadcast, multicast, reserved.
  ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '255.255.255.255', '224.0.0.1', '240.0.0.1'],
  ...['::1', '::', 'ff02::1'],
  // Private and shared.
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '100.127.255.255'],
  ...['fc00::1', 'fd00::1', 'fdff:ffff::1', 'fec0::1'],
  // Link-local, and what clouds keep there.
  ...['169.254.1.1', '169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
  // For documentation, benchmarks and protocols.
  ...['192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '192.0.0.1', '192.88.99.1', '2001:db8::1', '3fff::1'],
  // IPv4 in the clothes of IPv6.
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe'],
  ...['64:ff9b::10.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::8.8.8.8', '::127.0.0.1', '::7f00:1', '::8.8.8.8'],
  ...['2002:7f00:1::', '2002:a00:1::1', '2001::1', '::ffff:0:127.0.0.1'],
  // No addresses.
  ...['', 'localhost', '127.1', '0x7f000001', '2130706433', '1.2.3', '1.2.3.4.5', 'example.com'],
];

describe('an address', () => {
  it.each(PUBLIC)('%s may be reached', (address) => expect(mayReach(address, NONE)).toBe(true));
  it.each(REFUSED)('%j may not', (address) => expect(mayReach(address, NONE)).toBe(false));

  it.each(['10.20.3.4', '127.0.0.1', '::1', '::ffff:10.20.3.4', 'fd12::5'])(
    '%s may, in a network that was named',
    (address) => {
      expect(mayReach(address, NONE)).toBe(false);
      expect(mayReach(address, OWN)).toBe(true);
    },
  );
  it.each(['10.21.0.1', '192.168.0.1', 'fd13::1', '169.254.169.254', '::ffff:169.254.169.254', 'fe80::1'])(
    '%s may not, outside of it or where credentials are given out',
    (address) => expect(mayReach(address, OWN)).toBe(false),
  );
});

describe('networks', () => {
  it.each(['10.0.0.0', '10.0.0.0/33', 'a/8', '::/129', '/8', '10.0.0.0/8 ', ''])('%j is none', (text) => {
    expect(() => networks([text])).toThrow(expect.objectContaining({ code: 'NETWORKS_INVALID' }));
  });
});

describe('the URL of an endpoint', () => {
  const inProduction = { takesHttp: false, allowed: NONE };
  it.each([
    ...[
      'https://hooks.example.com/corridor?x=1',
      'https://hooks.example.com:8443/',
      'https://8.8.8.8/',
      'https://xn--bcher-kva.example/',
    ],
  ])('%s is one', (url) => expect(urlFlaw(url, inProduction)).toBeUndefined());

  it.each([
    ['http://hooks.example.com/', /https/],
    ['ftp://hooks.example.com/', /https/],
    ['javascript:alert(1)', /https/],
    ['hooks.example.com', /no URL/],
    ['https://', /no URL/],
    ['https://a:b@hooks.example.com/', /password/],
    ['https://a@hooks.example.com/', /password/],
    ['https://hooks.example.com/#top', /fragment/],
    ['https://hooks.example.com/#', /fragment/],
    [`https://hooks.example.com/${'a'.repeat(1_000)}`, /characters/],
    ['https://127.0.0.1/', /public/],
    ['https://0x7f.1/', /public/],
    ['https://2130706433/', /public/],
    ['https://017700000001/', /public/],
    ['https://127.1/', /public/],
    ['https://１２７.0.0.1/', /public/],
    ['https://[::1]/', /public/],
    ['https://[::ffff:127.0.0.1]/', /public/],
    ['https://[fe80::1]/', /public/],
    ['https://169.254.169.254/latest/meta-data', /public/],
  ])('%s is none', (url, why) => expect(urlFlaw(url, inProduction)).toMatch(why));

  it('may be in clear in a trial', () => {
    expect(urlFlaw('http://127.0.0.1:9000/', { takesHttp: true, allowed: OWN })).toBeUndefined();
    expect(urlFlaw('http://127.0.0.1:9000/', { takesHttp: true, allowed: NONE })).toMatch(/public/);
  });
});
