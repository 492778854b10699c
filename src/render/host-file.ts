/** A rendered file. */
import type { FilePut } from '../domain/step.ts';

/** A rendered file and what it is for. */
export interface HostFile extends FilePut {
  /** Whether a running member takes it in only at its next start. */
  readonly restart: boolean;
  /** What the file is for, for people. */
  readonly why: string;
}

/** A file of root's that everybody may read and no running member depends on. */
export function rootFile(path: string, content: string, why: string): HostFile {
  return { path, mode: '0644', owner: 'root', group: 'root', content, restart: false, why };
}
