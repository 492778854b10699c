/** The sha256 of a file. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { isSystemError } from '../domain/system-error.ts';

/** Releases of etcd have 17–25 MB; one is held in memory while it is pushed. */
export const MAX_TARBALL_BYTES = 512 * 2 ** 20;

export interface FileDigest {
  /** Lowercase hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

const PIECE_BYTES = 256 * 1024;

/** Reads the whole file; undefined where there is none. */
export async function digestFile(path: string, signal: AbortSignal): Promise<FileDigest | undefined> {
  try {
    const file = await open(path);
    return await digest(file, signal).finally(() => file.close());
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** One piece of memory for the whole file: a stream would take fresh pages for each of its chunks. */
async function digest(file: FileHandle, signal: AbortSignal): Promise<FileDigest> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let sizeBytes = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) return { sha256: hash.digest('hex'), sizeBytes };
    hash.update(piece.subarray(0, bytesRead));
    sizeBytes += bytesRead;
  }
}
