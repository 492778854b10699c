/**
 * Notes beside large files that spare every probe their hashing: `SHA256|INODE…|PATH` a line, valid as long as inode and
 * change time are those of the note. Whoever installs binaries writes it, once they stand where they stay.
 */
import { DIGESTS_NAME, INODE_FORMAT } from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';

/** sha256 of nothing (FIPS 180-4): what an openssl that can be trusted with more says of an empty input. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * POSIX sh that defines `sha256`: the sha256 of stdin, then a space and something. openssl uses the processor's own instructions
 * for it, which coreutils without libcrypto (Debian before 13) does not: 60 MB in 45 ms and not in 170.
 */
export const sha256Function = `case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
  ${EMPTY}*) sha256() { openssl dgst -sha256 -r; } ;;
  *) sha256() { sha256sum; } ;;
esac`;

/**
 * POSIX sh that writes `folder/.digests` for the files `names` in it, which are to stand in `directory` in the end: the name of a folder is
 * no part of a file's inode. Needs {@link sha256Function} before it. Fails (status 1) where a file is missing.
 */
export function digestScript(folder: string, directory: string, names: readonly string[]): string {
  const lines = names.map((name) => {
    const path = quote(`${folder}/${name}`);
    const inode = quote(INODE_FORMAT.replace('%n', () => `${directory}/${name}`.replaceAll('%', '%%')));
    return `  inode=$(stat -c ${inode} -- ${path}) && sum=$(sha256 <${path}) || exit 1
  printf '%s|%s\\n' "\${sum%% *}" "$inode"`;
  });
  return `(
  umask 022
  LC_ALL=C TZ=UTC0; export LC_ALL TZ
${lines.join('\n')}
) >${quote(`${folder}/${DIGESTS_NAME}`)}`;
}
