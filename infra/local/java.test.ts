import { describe, expect, test } from 'vitest';
import { explainMaven } from './java.ts';

const LOG = '/somewhere/maven.log';

describe('what Maven says, and what to do about it', () => {
  test.each([
    [
      '[ERROR] Failed to execute goal … Could not transfer artifact org.apache.kafka:kafka_2.13:pom:4.4.0 from/to central: Connection refused',
      'DOWNLOAD_FAILED',
      'network',
    ],
    [
      '[ERROR] … Could not transfer artifact x from/to central: repo.example: Unknown host repo.example',
      'DOWNLOAD_FAILED',
      'network',
    ],
    ['[ERROR] … PKIX path building failed: unable to find valid certification path', 'DOWNLOAD_FAILED', 'certificate'],
    ['[ERROR] … Could not find artifact io.apicurio:x:tar.gz in mirror', 'DOWNLOAD_FAILED', 'mirror'],
    ['[ERROR] … Checksum validation failed, expected a but is b', 'DOWNLOAD_FAILED', 'damaged'],
    ['[ERROR] java.io.IOException: No space left on device', 'DOWNLOAD_FAILED', 'disk is full'],
    ['[ERROR] No compiler is provided in this environment. Perhaps you are running on a JRE?', 'JAVA_MISSING', 'jdk'],
    ['[ERROR] COMPILATION ERROR :', 'BUILD_FAILED', LOG],
  ])('%s', (line, code, cure) => {
    const error = explainMaven(`[INFO] Scanning for projects...\n${line}\n[ERROR] -> [Help 1]`, LOG);
    expect(error.code).toBe(code);
    expect(error.cure).toContain(cure);
    expect(error.message).toContain(line.replace('[ERROR] ', '').slice(0, 40));
  });
});
