/**
 * Notes beside large files that spare every probe their hashing: `SHA256|INODE…|PATH` a line, valid as long as inode and
 * change time are those of the note. Whoever installs binaries writes it, once they stand where they stay.
 */
import { quote } from '../domain/shell-quote.ts';
import { STAT_FORMAT } from './probe-body.ts';

/** POSIX sh that writes `directory/.digests` for the files `names` in it, atomically. Fails (status 1) where one is missing. */
export function digestScript(directory: string, names: readonly string[]): string {
  const file = quote(`${directory}/.digests`);
  const next = quote(`${directory}/.digests.next`);
  const paths = names.map((each) => quote(`${directory}/${each}`)).join(' ');
  return `(
  umask 022
  LC_ALL=C TZ=UTC0; export LC_ALL TZ
  for path in ${paths}; do
    inode=$(stat -c '${STAT_FORMAT}' -- "$path") && sum=$(sha256sum -- "$path") || exit 1
    printf '%s|%s\\n' "\${sum%% *}" "$inode"
  done >${next} && mv -f -- ${next} ${file}
)
`;
}
