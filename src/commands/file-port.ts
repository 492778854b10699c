/** Files beside the operator, as verbs read and write them. */

/** The operator's machine. */
export interface FilePort {
  /** Writes a file that must not exist, or replaces it where `replace` says so; parents are made. */
  write(
    path: string,
    content: string | Uint8Array,
    options: { readonly mode: number; readonly replace: boolean },
  ): Promise<void>;
  read(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
  /**
   * The files of a folder, by name; links to files count as such, other folders, devices and pipes are passed over.
   * @throws QuorateError usage where it cannot be read, or holds more than a folder of certificates does
   */
  readFolder(path: string): Promise<readonly FolderFile[]>;
}

/** A file of a folder. */
export interface FolderFile {
  readonly name: string;
  readonly text: string;
}
