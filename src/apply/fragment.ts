/** The piece of a host's stage script that one step becomes, and the files that travel with it. */
import type { Readable } from 'node:stream';

/** A file that travels in the stage's tar stream. */
export interface StagedFile {
  /** Its name in the stage folder: unique in the stage, no slash. */
  readonly name: string;
  readonly content: string | { readonly sizeBytes: number; read(): Readable };
}

export interface Fragment {
  /** POSIX sh, run under `set -eu` with the functions of the prelude. `$stage` is the folder of the staged files. */
  readonly script: string;
  readonly files: readonly StagedFile[];
}

/** Names staged files: every call gives another one. */
export function stagedNames(): (content: StagedFile['content']) => StagedFile {
  let count = 0;
  return (content) => {
    count += 1;
    return { name: `f${count}`, content };
  };
}
