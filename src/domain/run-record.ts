/** What is compared when the configuration that a process runs with is compared with the one on disk. */

/** Keys that etcd ignores once it has a WAL: they change at bootstrap and with the members, and need no restart. */
const bootstrapKeys: readonly string[] = ['initial-cluster', 'initial-cluster-state', 'initial-cluster-token'];

/**
 * The configuration less the lines of the keys that etcd ignores once it has a WAL. Its sha256 is the run record's
 * `configSha256` (templates/record-start.sh does the same with sed); those keys stand on one line each.
 */
export function comparableConfig(config: string): string {
  return config
    .split(/(?<=\n)/)
    .filter((line) => !bootstrapKeys.some((key) => line.startsWith(`${key}:`)))
    .join('');
}
