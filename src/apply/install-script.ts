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

/**
 * POSIX sh: the tarball comes on stdin. What is sent has been checked, SSH sees to it that this arrives, and gzip that all of it does: to its last octet, of
 * which tar needs not all. Left to tar, gzip would be fed by one more tar.
 */
export function installArriving(release: Installed): string {
  const unpack = `{ gzip -dc || : >"$stage/not-whole"; } | { ${untar(release, '-xf -')} && cat >/dev/null; }
[ ! -e "$stage/not-whole" ]`;
  return install(release, ':', unpack);
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
