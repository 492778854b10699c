/** Reading a folder that somebody else has filled: bounded, whatever lies in it. */
import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';

/** Far above what is asked of a cluster of 1,000 members: three certificates each, the requests beside them, or all of it in one file. */
const LIMITS = { files: 20_000, fileBytes: 16 << 20, totalBytes: 64 << 20 } as const;

const HINT = 'name a folder that holds what was signed and nothing else: --from DIR';

/**
 * Every file of a folder, sorted by name. A link to a file is read as that file (mounted secrets are made of such); folders, devices and pipes are passed over.
 * @throws QuorateError usage where it cannot be read, or is larger than such a folder can be
 */
export async function readFolder(path: string): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const names = await namesIn(path);
  if (names.length > LIMITS.files) throw tooLarge(path, `${names.length} entries (limit ${LIMITS.files})`);
  const files: { readonly name: string; readonly text: string }[] = [];
  let total = 0;
  for (const name of names.toSorted()) {
    const bytes = await readWithin(join(path, name));
    if (bytes === undefined) continue;
    total += bytes.length;
    if (total > LIMITS.totalBytes) throw tooLarge(path, `more than ${LIMITS.totalBytes >> 20} MiB in all`);
    files.push({ name, text: bytes.toString('utf8') });
  }
  return files;
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    throw new QuorateError('usage', `${path}: cannot be read as a folder`, { cause, hint: HINT });
  }
}

/** undefined where it is no file. Looked at again once it is open: what it is may have changed, and a pipe would be waited for. */
async function readWithin(path: string): Promise<Buffer | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  try {
    return await readOpened(path);
  } catch (cause) {
    if (cause instanceof QuorateError) throw cause;
    throw new QuorateError('usage', `${path}: cannot be read`, { cause });
  }
}

async function readOpened(path: string): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const entry = await file.stat();
    if (!entry.isFile()) return undefined;
    if (entry.size > LIMITS.fileBytes) throw tooLarge(path, sizeOf(entry.size));
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function sizeOf(bytes: number): string {
  return `${bytes} bytes (limit ${LIMITS.fileBytes >> 20} MiB)`;
}

function tooLarge(path: string, what: string): QuorateError {
  return new QuorateError('usage', `${path}: ${what}, which certificates do not take`, { hint: HINT });
}
