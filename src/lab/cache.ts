/** Where the lab keeps what is costly to make: base images and etcd releases, outside every checkout. */

/** `QUORATE_CACHE`, or `/var/cache/quorate`. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['QUORATE_CACHE'] || '/var/cache/quorate';
}
