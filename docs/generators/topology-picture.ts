// The pipeline as a Mermaid picture, drawn from its declaration.
import { consumers, topology } from '../../processors/topology.ts';

type Named = readonly { readonly name: string }[];
interface Node {
  readonly reads: Named;
  readonly writes: Named;
  readonly follows?: Named;
}

/** Limits reads every end to settle its reservation: one arrow in the picture instead of seven. */
const ENDS = new Set(['transfer.rejected', 'transfer.completed', 'transfer.returned']);

const id = (name: string) => name.replaceAll(/[^a-z0-9]/g, '_');

/** Stages as boxes and topics as the arrows between them; what nobody here reads or writes meets the outside. */
export function chainPicture(): string {
  const stages = Object.entries(topology) as [string, Node][];
  const executor = ['payout-executor', consumers['payout-executor']] as [string, Node];
  const nodes = [...stages, executor];
  const lines = [
    'flowchart LR',
    '  producers([producers])',
    '  operators([operators])',
    '  analysts([analysts and sinks])',
  ];
  for (const [name] of nodes) lines.push(`  ${id(name)}["${name}"]`);
  lines.push('  provider([payout provider])');
  for (const [reader, { reads }] of nodes) {
    for (const topic of reads) {
      if (reader === 'limits' && ENDS.has(topic.name)) continue;
      const writers = nodes.filter(([, { writes }]) => writes.some(({ name }) => name === topic.name));
      const sources = writers.length > 0 ? writers.map(([name]) => id(name)) : [outsideWriter(topic.name)];
      for (const source of sources) lines.push(`  ${source} -- ${topic.name} --> ${id(reader)}`);
    }
  }
  for (const [name, { writes }] of stages) {
    const unread = writes.filter((topic) =>
      ENDS.has(topic.name)
        ? name === 'settlement'
        : !nodes.some(([, node]) => node.reads.some((read) => read.name === topic.name)),
    );
    for (const topic of unread) {
      const target = topic.name === 'transfer.held' ? 'operators' : 'analysts';
      lines.push(`  ${id(name)} -- ${topic.name} --> ${target}`);
    }
  }
  lines.push(
    '  settlement -. "every end, to settle the reservation" .-> limits',
    '  payout_executor <-- HTTP --> provider',
    '  settlement -. "transfer.lifecycle, from every stage" .-> analysts',
  );
  return ['```mermaid', ...lines, '```'].join('\n');
}

const outsideWriter = (topic: string) => (topic === 'transfer.requested' ? 'producers' : 'operators');
