/** What takes a member's data away: etcd's own entry of a folder alone, never through a link, never across file systems. */
import { quote } from '../domain/shell-quote.ts';
import type { DataFolder } from '../domain/step.ts';

/**
 * Moves the data to a name of its own: the folder beside itself, or, where a disk is mounted there or others keep files in it, the entry into a new
 * folder beside it. `name` is that of this move (`20260101T000000Z`).
 */
export function asideScript({ path, entry }: DataFolder, name: string): string {
  return `${open({ path, entry })}
if is_mounted "$data" || has_others "$data" "$entry"; then
  mkdir -m 0700 "$data"/aside.${name}
  mv -T "$data/$entry" "$data"/aside.${name}/"$entry"
  sync "$data" "$data"/aside.${name}
else
  mv -T "$data" "$data".${name}
  sync "\${data%/*}"
fi`;
}

/** Deletes the entry, and the folder where nothing else is in it and nothing is mounted there. */
export function deleteScript(folder: DataFolder): string {
  return `${open(folder)}
rm -rf --one-file-system -- "$data/$entry"
is_mounted "$data" || has_others "$data" "$entry" || rmdir "$data"
sync "\${data%/*}"`;
}

function open({ path, entry }: DataFolder): string {
  return `${functions}
data=${quote(path)}
entry=${quote(entry)}
[ ! -L "$data" ] || { echo "$data is a symbolic link: no data is taken away through one" >&2; exit 1; }`;
}

/** Paths of an inventory hold nothing that mountinfo (proc(5)) would escape. */
const functions = `is_mounted() {
  real=$(readlink -f "$1")
  while read -r _ _ _ _ point _; do
    [ "$point" != "$real" ] || return 0
  done </proc/self/mountinfo
  return 1
}
has_others() {
  for each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ "$each" != "$1/$2" ] || continue
    if [ -e "$each" ] || [ -L "$each" ]; then return 0; fi
  done
  return 1
}`;
