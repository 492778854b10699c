/** Telling one failed system call from another. */

/** Whether an error is a failed system call with one of these codes (`ENOENT`, …). */
export function isFileError(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
