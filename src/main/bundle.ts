/** A support archive: texts without secrets, packed. */
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { BundleFile } from '../commands/command.ts';
import type { Secrets } from '../ui/secrets.ts';

/** A tar.gz of these files below one folder; every text, name and value passes through `secrets` first. */
export async function packBundle(folder: string, files: readonly BundleFile[], secrets: Secrets): Promise<Uint8Array> {
  const { packTar } = await import('modern-tar/fs');
  const entries = files.map(({ name, content }) => ({
    type: 'content' as const,
    target: `${folder}/${name}`,
    content: typeof content === 'string' ? secrets.redact(content) : printJson(content.json, secrets),
    mode: 0o600,
  }));
  return promisify(gzip)(await buffer(packTar(entries)));
}

/** Redacted as a value first (a text in JSON is escaped, and hides what it holds), and once more as it is written. */
function printJson(value: unknown, secrets: Secrets): string {
  return secrets.redact(`${JSON.stringify(secrets.redactValue(value), undefined, 2)}\n`);
}
