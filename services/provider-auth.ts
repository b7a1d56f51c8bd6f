// What the settings say of how the provider knows us.
import { readFileSync } from 'node:fs';
import type { ProviderAuth } from '../adapters/payout-providers/auth.ts';
import { CodedError } from '../ports/fault.ts';
import type { Config } from '../runtime/config/config.ts';

/** @throws CodedError CONFIG_INVALID: credentials in the URL, half a certificate, TLS without https, a file that cannot be read */
export function providerAuth({
  url,
  token,
  signingKey,
  tlsCertFile,
  tlsKeyFile,
  tlsCaFile,
}: Config['provider']): ProviderAuth {
  const { username, password, protocol } = new URL(url);
  if (username !== '' || password !== '') {
    throw invalid(
      'CORRIDOR_PROVIDER_URL must hold no user or password: use CORRIDOR_PROVIDER_TOKEN, CORRIDOR_PROVIDER_SIGNING_KEY or the files of CORRIDOR_PROVIDER_TLS_*',
    );
  }
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    throw invalid(
      'CORRIDOR_PROVIDER_TLS_CERT_FILE and CORRIDOR_PROVIDER_TLS_KEY_FILE belong together: set both or none',
    );
  }
  const usesTls = tlsCertFile !== undefined || tlsCaFile !== undefined;
  if (usesTls && protocol !== 'https:') throw invalid('CORRIDOR_PROVIDER_TLS_* need an https:// CORRIDOR_PROVIDER_URL');
  const signing = signingKey && { id: signingKey.currentId, key: signingKey.keys.get(signingKey.currentId)! };
  return {
    ...(token !== undefined && { bearerToken: token }),
    ...(signing && { signing }),
    ...(usesTls && {
      tls: {
        ...(tlsCertFile !== undefined && { cert: pem('CORRIDOR_PROVIDER_TLS_CERT_FILE', tlsCertFile) }),
        ...(tlsKeyFile !== undefined && { key: pem('CORRIDOR_PROVIDER_TLS_KEY_FILE', tlsKeyFile) }),
        ...(tlsCaFile !== undefined && { ca: pem('CORRIDOR_PROVIDER_TLS_CA_FILE', tlsCaFile) }),
      },
    }),
  };
}

function pem(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw invalid(`${name}: the file ${file} cannot be read`);
  }
}

const invalid = (message: string) => new CodedError('CONFIG_INVALID', message, { faultClass: 'fatal' });
