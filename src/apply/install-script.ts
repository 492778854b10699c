/** Unpacks a release beside where it is to stand, and gives it its name once all of it is there and on the disk. */
import { quote } from '../domain/shell-quote.ts';
import { digestScript, sha256Function } from '../observe/digests.ts';

/** A folder for one version, and what it must hold. */
export interface Installed {
  readonly directory: string;
  readonly names: readonly string[];
}

/** Blocks (512 octets) in a record of tar: its own 20 are six times as many reads and writes. */
const RECORD_BLOCKS = 128;
/** Every 15 MB what is there goes to the disk while tar goes on: the last sync has little left. */
const FLUSH_RECORDS = 230;

/** Where a host that downloads by itself leaves the tarball. */
export function downloadTarget(release: Installed): string {
  return `${parentOf(release)}/.quorate-download.tar.gz`;
}

/** POSIX sh: `download` leaves the checked tarball at {@link downloadTarget}. */
export function installDownload(release: Installed, download: string): string {
  const target = quote(downloadTarget(release));
  return `${install(release, download, untar(release, `-xzf ${target}`))}\nrm -f ${target}`;
}

/** What comes on stdin. */
export interface Arriving {
  readonly sizeBytes: number;
  /** A program that inflates what `cat-file FILE.gz` names, where the host has one that works. */
  readonly helper?: string;
}

/** Of Debian and its relatives (apt-helper(8)). */
const APT_HELPER = '/usr/lib/apt/apt-helper';

/**
 * POSIX sh: the tarball comes on stdin. What is sent has been checked, SSH sees to it that this arrives, and this script that all of it does: tar needs not
 * all to its last octet. Left to tar, gzip would be fed by one more tar.
 */
export function installArriving(release: Installed, arriving: Arriving): string {
  const unpack = `${inflate(arriving)} | { ${untar(release, '-xf -')} && cat >/dev/null; }
[ ! -e "$stage/not-whole" ]`;
  return install(release, ':', unpack);
}

/**
 * apt's zlib takes 0.26 s of processor for 22 MB where gzip takes 0.37 (Debian 12). It tells by the name that it has to inflate, and is silent about what was
 * cut off, so octets are counted.
 */
function inflate({ sizeBytes, helper = APT_HELPER }: Arriving): string {
  const program = quote(helper);
  return `ln -sf /dev/stdin "$stage/release.gz"
if ${program} cat-file /dev/null >/dev/null 2>&1; then
  inflate() {
    LC_ALL=C dd bs=65536 2>"$stage/arrived" | ${program} cat-file "$stage/release.gz" &&
      { grep -q '^${sizeBytes} bytes ' "$stage/arrived" || { echo 'the release did not arrive whole' >&2; false; }; }
  }
else
  inflate() { gzip -dc; }
fi
{ inflate || : >"$stage/not-whole"; }`;
}

function install(release: Installed, fetch: string, unpack: string): string {
  const { directory, names } = release;
  const partial = partialOf(release);
  const binaries = names.map((name) => quote(`${partial}/${name}`)).join(' ');
  return `mkdir -p ${quote(parentOf(release))}
${fetch}
${sha256Function}
rm -rf ${quote(partial)}
mkdir -m 0755 ${quote(partial)}
${unpack}
[ -x ${quote(`${partial}/etcd`)} ]
chmod -R u=rwX,go=rX ${quote(partial)}
sync ${binaries} ${quote(partial)} &
syncing=$!
${digestScript(partial, directory, ['etcd'])}
wait "$syncing"
mv -T ${quote(partial)} ${quote(directory)}
sync ${quote(parentOf(release))}`;
}

function untar(release: Installed, from: string): string {
  const partial = partialOf(release);
  const binaries = release.names.map((name) => quote(`${partial}/${name}`)).join(' ');
  const flush = quote(`exec=sync -d ${binaries} 2>/dev/null &`);
  return `tar ${from} -b ${RECORD_BLOCKS} --read-full-records -C ${quote(partial)} --strip-components=1 --no-same-owner \\
  --no-same-permissions --checkpoint=${FLUSH_RECORDS} --checkpoint-action=${flush}`;
}

function partialOf({ directory }: Installed): string {
  return `${directory}.quorate-new`;
}

function parentOf({ directory }: Installed): string {
  return directory.slice(0, directory.lastIndexOf('/'));
}
