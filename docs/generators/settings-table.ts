// The table of settings, from runtime/config/settings.ts.
import { allSettings } from '../../runtime/config/config.ts';

export function settingsTable(): string {
  const rows = allSettings.map(({ setting }) => {
    const { env, doc, optional, secret } = setting;
    const standard = setting.default ?? (optional ? '' : 'must be set');
    const development =
      setting.developmentDefault === undefined ? '' : `; in development \`${setting.developmentDefault}\``;
    const value = setting.default === undefined ? standard : `\`${standard}\``;
    return `| \`${env}\` | ${value}${development} | ${doc}${secret ? ' **Secret.**' : ''} |`;
  });
  return ['| variable | default | what it does |', '|---|---|---|', ...rows].join('\n');
}
