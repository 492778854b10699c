/** Files beside the operator, as verbs read and write them. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { FilePort } from '../commands/file-port.ts';
import { QuorateError } from '../domain/errors.ts';
import { readFolder } from '../files/folder.ts';
import { replaceFile, writeNewFile } from '../files/replace.ts';

/** The port; paths that are read are relative to `directory`. */
export function filePort(directory: string): FilePort {
  return {
    write: writeWhole,
    read: (path) => readOrRefuse(resolve(directory, path)),
    exists: (path) => exists(resolve(directory, path)),
    readFolder: (path) => readFolder(resolve(directory, path)),
  };
}

async function writeWhole(
  path: string,
  content: string | Uint8Array,
  { mode, replace }: { readonly mode: number; readonly replace: boolean },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (replace) return replaceFile(path, content, { mode });
  try {
    await writeNewFile(path, content, mode);
  } catch (cause) {
    if (!(await exists(path))) throw cause;
    throw new QuorateError('usage', `${path}: exists already, and is never overwritten`, {
      cause,
      hint: 'name another file with --out',
    });
  }
}

async function readOrRefuse(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new QuorateError('usage', `${path}: cannot be read`, { cause });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
