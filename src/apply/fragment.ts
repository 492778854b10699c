/** The piece of a host's stage script that one step becomes, and the files that travel with it. */

/** A file that travels in the stage's tar stream. */
export interface StagedFile {
  /** Its path in the stage folder: unique in the stage. */
  readonly name: string;
  readonly content: string;
}

/** What waits to take its place. */
export interface Laid {
  readonly paths: readonly string[];
  /** Shell that runs once it has. */
  readonly after?: string | undefined;
}

export interface Fragment {
  /** POSIX sh, run under `set -eu` with the functions of the prelude. `$stage` is the folder of the staged files. */
  readonly script: string;
  readonly files: readonly StagedFile[];
  /** Paths that the script has laid a new file beside (`lay`): it takes its place with those of the steps behind it that lay one too. */
  readonly laid?: Laid;
  /** What the script itself reads from stdin, to the end, as it arrives. One fragment of a stage may have it. */
  readonly stdin?: { read(): Promise<Buffer> };
}

/** Names staged files: every call gives another one. */
export function stagedNames(): (content: string) => StagedFile {
  let count = 0;
  return (content) => {
    count += 1;
    return { name: `f${count}`, content };
  };
}
