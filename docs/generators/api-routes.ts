// Every route of the API, from its declaration.
import { COMMON_REFUSALS, refusalsOf } from '../../api/http/schema.ts';
import { ROUTES } from '../../api/v1/routes.ts';

const code = (name: string) => `[\`${name}\`](errors.md#${name})`;

export function apiRoutes(): string {
  const common: readonly string[] = COMMON_REFUSALS;
  const rows = ROUTES.map((route) => {
    const own = refusalsOf(route).filter((each) => !common.includes(each));
    const url = route.url.replaceAll(/:(\w+)/g, '{$1}');
    return `| \`${route.method} ${url}\` | ${route.summary} | \`${route.action}\` | ${Object.keys(route.answers).join(', ')} | ${own.map(code).join(', ')} |`;
  });
  return ['| route | what it does | action | answers | own refusals |', '|---|---|---|---|---|', ...rows].join('\n');
}
