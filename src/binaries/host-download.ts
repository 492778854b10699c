/** The part of a host's script that downloads a release there, where hosts do so by themselves. */
import { quote } from '../domain/shell-quote.ts';

export interface HostDownload {
  /** Tried in order. */
  readonly urls: readonly string[];
  /** Lowercase hex. */
  readonly sha256: string;
  /** Where the tarball is put; its folder exists. */
  readonly target: string;
}

/**
 * POSIX sh for `set -eu`: leaves the tarball at `target`, or exits with status 1 and a reason on stderr. What a cut left in
 * `target.part` is gone on with; a part that turns out wrong is fetched once more from the start.
 */
export function hostDownloadScript({ urls, sha256, target }: HostDownload): string {
  return `(
set -u
target=${quote(target)}
part=$target.part
right() { [ -f "$1" ] && echo ${quote(`${sha256}  `)}"$1" | sha256sum -c >/dev/null 2>&1; }
take() {
  curl --disable --silent --show-error --fail --location --proto ${quote(protocols(urls))} --max-redirs 5 \\
    --connect-timeout 15 --speed-limit 1024 --speed-time 30 --max-time 1800 --retry 2 --retry-delay 1 \\
    --max-filesize 536870912 -C - -o "$part" "$1"
}
get() {
  right "$part" && return
  take "$1" && right "$part" && return
  [ -s "$part" ] || return 1
  rm -f "$part"
  take "$1" && right "$part" && return
  [ ! -f "$part" ] || echo "$1: has sha256 $(sha256sum <"$part" | sed 's/ .*//'), not ${sha256}" >&2
  rm -f "$part"
  return 1
}
right "$target" && exit 0
command -v curl >/dev/null 2>&1 || { echo 'curl is missing: install it, or set binaries.via: operator' >&2; exit 1; }
for url in ${urls.map(quote).join(' ')}; do
  get "$url" && mv -f "$part" "$target" && exit 0
done
echo ${quote(`no address gave the release: ${urls.join(' ')}`)} >&2
exit 1
)`;
}

/** A redirect never leaves TLS. */
function protocols(urls: readonly string[]): string {
  return urls.every((url) => url.startsWith('https:')) ? '=https' : '=http,https';
}
