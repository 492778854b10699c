/** A support archive: texts without secrets, packed. */
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { BundleFile } from '../commands/command.ts';
import type { Secrets } from '../ui/secrets.ts';

/** A tar.gz of these files below one folder; every text, name and value passes through `secrets` first. */
export async function packBundle(folder: string, files: readonly BundleFile[], secrets: Secrets): Promise<Uint8Array> {
  const { packTar } = await import('modern-tar/fs');
  const targets = targetsOf(folder, files);
  const entries = files.map(({ content }, index) => ({
    type: 'content' as const,
    target: targets[index] ?? folder,
    content: typeof content === 'string' ? secrets.redact(content) : printJson(content.json, secrets),
    mode: 0o600,
  }));
  return promisify(gzip)(await buffer(packTar(entries)));
}

/** Names that stay below the folder and in one line, whatever hosts call their files; no two are the same. */
function targetsOf(folder: string, files: readonly BundleFile[]): readonly string[] {
  const taken = new Set<string>();
  return files.map(({ name }) => {
    const safe = [folder, ...name.split('/').filter((part) => part !== '')].map(safePart).join('/');
    let target = safe;
    for (let number = 2; taken.has(target); number += 1) target = `${safe}~${number}`;
    taken.add(target);
    return target;
  });
}

/** `..` and `.` lead elsewhere; a backslash does where the archive is unpacked on Windows. */
function safePart(part: string): string {
  return /^\.+$/.test(part)
    ? '_'.repeat(part.length)
    : part.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\\]/gu, '_');
}

/** Redacted as a value first (a text in JSON is escaped, and hides what it holds), and once more as it is written. */
function printJson(value: unknown, secrets: Secrets): string {
  return secrets.redact(`${JSON.stringify(secrets.redactValue(value), undefined, 2)}\n`);
}
