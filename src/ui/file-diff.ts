/** The difference that a plan makes to one file, as a unified diff. */

export interface FileChange {
  readonly host: string;
  readonly path: string;
  /** undefined where there is no such file. */
  readonly before: string | undefined;
  /** undefined where the file goes. */
  readonly after: string | undefined;
  /** Whether the contents are secret: then only the fact is told. */
  readonly redacted: boolean;
}

/**
 * A unified diff with three lines of context, headed by the path; '' where the contents are equal. A secret file's contents are never in it.
 * Hosts are not named, so that equal changes of several hosts are equal texts.
 */
export async function fileDiff(change: FileChange): Promise<string> {
  const { path, before, after } = change;
  if (before === after) return '';
  if (change.redacted) return `(contents of ${path} not shown: secret)`;
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
  const from = before === undefined ? '/dev/null' : path;
  const to = after === undefined ? '/dev/null' : path;
  const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch.replace(/\n$/, '');
}
