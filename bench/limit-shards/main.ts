// How limits would grow beyond one Redis primary: a simulation, with the processor times that `npm run bench -- limits` measured.
// Transfers come at random; each shard is one core that serves in order. Nothing is connected to.
//
//   npm run bench -- limit-shards [--rate 10000] [--seconds 20] [--us-per-rule 28]
import { parseArgs } from 'node:util';
import { table } from '../report.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' },
    'us-per-rule': { type: 'string', default: '28' },
    senders: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
  },
});
const [rate, seconds, usPerRule, senders] = [
  Number(values.rate),
  Number(values.seconds),
  Number(values['us-per-rule']),
  Number(values.senders),
];
/** Of five rules: three of the sender or the pair, one of the beneficiary, one of the provider, which is everybody's. */
const RULES = { sender: 3, beneficiary: 1, provider: 1 } as const;
/** What one call costs beside its rules, microseconds; a network round trip between two steps; how full limits are. */
const [CALL_US, TRIP_US] = [6, 500];
/** Of a hundred senders one is at its limit: a second transfer beside a first that is only claimed is refused. */
const TIGHT_SHARE = 0.01;
/** Of a thousand beneficiaries one is full: the sender's part is given back. */
const FULL_SHARE = 0.001;

/** Numbers in [0, 1), the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Design {
  readonly name: string;
  readonly shards: number;
  /** `one`: all rules on the shard of the transfer. `provider-apart`: that of the provider on a shard of its own, for all. */
  readonly provider: 'with-sender' | 'apart' | 'share';
}
const DESIGNS: readonly Design[] = [
  { name: 'one primary', shards: 1, provider: 'with-sender' },
  ...[2, 4, 8].map((shards): Design => ({ name: `${shards} shards, provider on one`, shards, provider: 'apart' })),
  ...[2, 4, 8].map((shards): Design => ({ name: `${shards} shards, provider in shares`, shards, provider: 'share' })),
];

/** A core that serves in order: when it is free, and for how long it has worked. */
class Core {
  freeAt = 0;
  busy = 0;
  serve(at: number, us: number): number {
    this.freeAt = Math.max(this.freeAt, at) + us;
    this.busy += us;
    return this.freeAt;
  }
}

function simulate({ shards, provider }: Design) {
  const random = randomOf(Number(values.seed));
  const cores = Array.from({ length: shards }, () => new Core());
  const latencies: number[] = [];
  /** Of a tight sender: until when a claim of theirs stands that another transfer may not know the end of. */
  const claimed = new Map<number, number>();
  let [two, early, givenBack] = [0, 0, 0];
  // Work in the order of its time: what comes later at a shard is served later.
  const later: { readonly at: number; readonly run: () => void }[] = [];
  const horizon = seconds * 1e6;
  const soon = (at: number, run: () => void) => {
    let place = later.length;
    while (place > 0 && later[place - 1]!.at < at) place--;
    later.splice(place, 0, { at, run });
  };
  for (let at = 0; at < horizon; at += (-Math.log(1 - random()) / rate) * 1e6) {
    while (later.length > 0 && later.at(-1)!.at <= at) later.pop()!.run();
    const sender = Math.floor(senders * random() ** 2);
    const home = sender % shards;
    const other = Math.floor(random() * shards);
    const isTight = sender % Math.round(1 / TIGHT_SHARE) === 0;
    const isFull = random() < FULL_SHARE;
    const came = at;
    const here = RULES.sender + (other === home ? RULES.beneficiary : 0) + (provider === 'apart' ? 0 : RULES.provider);
    if (isTight && (claimed.get(sender) ?? 0) > at) early += 1;
    const first = cores[home]!.serve(at, CALL_US + here * usPerRule);
    const steps: (readonly [number, number])[] = [
      ...(other === home ? [] : [[other, RULES.beneficiary] as const]),
      ...(provider === 'apart' && shards > 1 ? [[0, RULES.provider] as const] : []),
    ];
    if (steps.length === 0) {
      latencies.push(first - came);
      continue;
    }
    two += 1;
    // The claims of the other shards go out together, behind the first.
    soon(first + TRIP_US, () => {
      const ends = steps.map(([shard, rules]) => cores[shard]!.serve(first + TRIP_US, CALL_US + rules * usPerRule));
      const done = Math.max(...ends) + TRIP_US;
      if (isTight) claimed.set(sender, done);
      if (isFull) {
        givenBack += 1;
        soon(done, () => void cores[home]!.serve(done, CALL_US + here * usPerRule));
      }
      latencies.push(done - came);
    });
    if (isTight) claimed.set(sender, first + 2 * TRIP_US);
  }
  while (later.length > 0) later.pop()!.run();
  latencies.sort((one, another) => one - another);
  const quantile = (share: number) => (latencies[Math.floor(latencies.length * share)]! / 1_000).toFixed(2);
  const busiest = Math.max(...cores.map(({ busy }) => busy)) / horizon;
  const most = Math.round(rate / busiest);
  const perMillion = (count: number) => Math.round((count / latencies.length) * 1e6);
  const share = `${Math.round((two / latencies.length) * 100)} %`;
  return [
    `${Math.round(busiest * 100)} %`,
    most,
    busiest < 1 ? quantile(0.5) : 'grows',
    busiest < 1 ? quantile(0.99) : 'grows',
    ...[share, perMillion(early), perMillion(givenBack)],
  ];
}

const head = [
  ...['design', 'busiest core', 'transfers/s at most', 'p50 ms', 'p99 ms'],
  ...['in two steps', 'refused early, per million', 'given back, per million'],
];
console.log(`${rate} transfers/s, five rules at ${usPerRule} µs`);
console.log(
  table(
    head,
    DESIGNS.map((design) => [design.name, ...simulate(design)]),
  ),
);
