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
 * POSIX sh for `set -eu`: leaves the tarball at `target`, or exits with status 1 and a reason on stderr. A cut is gone on
 * with, in this run and in the next; a part that turns out to be of other bytes is fetched once more from the start.
 */
export function hostDownloadScript({ urls, sha256, target }: HostDownload): string {
  return `(
set -u
whys=
target=${quote(target)}
part=$target.part
right() { [ -f "$1" ] && echo ${quote(`${sha256}  `)}"$1" | sha256sum -c >/dev/null 2>&1; }
take() {
  why=$(curl --disable --silent --show-error --fail --location --proto ${quote(protocols(urls))} --max-redirs 5 \\
    --connect-timeout 15 --speed-limit 1024 --speed-time 30 --max-time 1800 --retry 2 --retry-delay 1 \\
    --max-filesize 536870912 -C - -o "$part" "$1" 2>&1)
}
# curl's statuses for a file that is not whole, a time-out, and a connection that broke.
cut() { [ "$1" -eq 18 ] || [ "$1" -eq 28 ] || [ "$1" -eq 56 ]; }
get() {
  right "$part" && return
  for try in 1 2 3 4 5; do
    resumed=
    [ ! -s "$part" ] || resumed=yes
    if take "$1"; then
      right "$part" && return
      why="has sha256 $(sha256sum <"$part" | sed 's/ .*//'), not ${sha256}"
      rm -f "$part"
      [ "$resumed" ] || return 1
    elif cut $?; then
      sleep 1
    elif [ "$resumed" ]; then
      rm -f "$part"
    else
      return 1
    fi
  done
  return 1
}
right "$target" && exit 0
command -v curl >/dev/null 2>&1 || { echo 'curl is missing: install it, or set binaries.via: operator' >&2; exit 1; }
for url in ${urls.map(quote).join(' ')}; do
  get "$url" && mv -f "$part" "$target" && exit 0
  whys="\${whys:+$whys; }$url: $why"
done
echo "no address gave the release: $whys" >&2
exit 1
)`;
}

/** A redirect never leaves TLS. */
function protocols(urls: readonly string[]): string {
  return urls.every((url) => url.startsWith('https:')) ? '=https' : '=http,https';
}
