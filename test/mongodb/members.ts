// The three members that test/mongodb/docker-compose.yml runs, and what can be done to each.
import { docker } from '../../infra/local/docker.ts';

export interface Member {
  /** As the members call one another, and as clients are told to call them. */
  readonly host: string;
  readonly port: number;
  readonly container: string;
}

export const SET_NAME = 'corridor';
export const MEMBERS: readonly Member[] = [1, 2, 3].map((number) => ({
  host: `mongo${number}.test`,
  port: 27_020 + number,
  container: `corridor-mongo${number}`,
}));
/** The network in which the members meet; clients do not use it. */
const NETWORK = 'corridor-mongo-members';

export const addressOf = ({ host, port }: Member) => `${host}:${port}`;

/** The member of an address; throws when the set is another one. */
export function memberAt(address: string): Member {
  const member = MEMBERS.find((each) => addressOf(each) === address);
  if (member === undefined) throw new Error(`${address} is no member of the set that test/mongodb/up.ts starts`);
  return member;
}

/** `kill -9`. */
export const kill = ({ container }: Member) => docker('kill', '--signal', 'KILL', container);
/** In good order: a primary hands over first. */
export const stop = ({ container }: Member) => docker('stop', container);
export const start = ({ container }: Member) => docker('start', container);
/** Cuts a member off from the others; its clients still reach it. */
export const isolate = ({ container }: Member) => docker('network', 'disconnect', NETWORK, container);
/** Ends the partition. */
export const rejoin = ({ container, host }: Member) =>
  docker('network', 'connect', '--alias', host, NETWORK, container);
