/** The sha256 of a file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isSystemError } from '../domain/system-error.ts';

export interface FileDigest {
  /** Lowercase hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Reads the whole file; undefined where there is none. */
export async function digestFile(path: string, signal: AbortSignal): Promise<FileDigest | undefined> {
  try {
    const { size } = await stat(path);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
    return { sha256: hash.digest('hex'), sizeBytes: size };
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
