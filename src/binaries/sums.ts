/** SHA256SUMS files. */

/** Lowercase hexadecimal sha256. */
export const sha256Shape = /^[0-9a-f]{64}$/;

/**
 * The sha256 (lowercase hex) that a file as `sha256sum` writes it gives for `name`; undefined where it gives none, or two
 * different ones.
 */
export function sumOf(sums: string, name: string): string | undefined {
  const found = new Set<string>();
  for (const line of sums.split(/\r?\n/)) {
    const [, sum, file] = /^([0-9a-fA-F]{64}) [ *](?:\.\/)?(.+)$/.exec(line) ?? [];
    if (sum !== undefined && file === name) found.add(sum.toLowerCase());
  }
  const [only, ...others] = found;
  return others.length === 0 ? only : undefined;
}
