/** Writing several files that must not be there yet: all are looked for before the first is written. */
import { QuorateError } from '../domain/errors.ts';
import type { Ports } from './command.ts';

export interface NewFile {
  /** Absolute. */
  readonly path: string;
  readonly mode: number;
  readonly content: string | Uint8Array;
}

/** @throws QuorateError usage where one of the paths exists and `force` does not say to replace it */
export async function requireAbsent(paths: readonly string[], force: boolean, ports: Ports): Promise<void> {
  if (force) return;
  for (const path of paths) {
    if (!(await ports.files.exists(path))) continue;
    throw new QuorateError('usage', `${path}: exists already`, {
      hint: 'name another folder with --out, or replace it with --force',
    });
  }
}

/** Private keys come first: a certificate without its key is worth nothing. */
export async function writeFiles(files: readonly NewFile[], force: boolean, ports: Ports): Promise<void> {
  for (const { path, mode, content } of files.toSorted((left, right) => left.mode - right.mode)) {
    await ports.files.write(path, content, { mode, replace: force });
  }
}
