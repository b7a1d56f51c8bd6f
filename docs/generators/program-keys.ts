// Which program needs which key, from the contracts of the topics that it reads and writes.
import { KEY_VARIABLES } from '../../runtime/config/config.ts';
import { KEYS_OF_PROGRAMS } from '../../services/process-parts/part-keys.ts';

export function programKeys(): string {
  const short = KEY_VARIABLES.map((name) => `\`${name.slice('CORRIDOR_'.length)}\``);
  const rows = [...KEYS_OF_PROGRAMS].map(([program, { needs, takes }]) => {
    const cells = KEY_VARIABLES.map((name) => (needs.includes(name) ? 'needs' : takes.includes(name) ? 'takes' : ''));
    return `| \`${program}\` | ${cells.join(' | ')} |`;
  });
  return [`| program | ${short.join(' | ')} |`, `|---|${short.map(() => '---').join('|')}|`, ...rows].join('\n');
}
