/**
 * The lock on one host: a folder that appears whole by one rename, with who, when and why, and a fencing token that remote
 * scripts must hold. The script that takes it stays alive for as long as the connection does, so whether the owner is gone
 * can be seen on the host itself: its holder has ended.
 */
import { LOCK_DIR, QUORATE_DIR } from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';

/** Who takes the lock, and why. */
export interface LockOwner {
  readonly token: string;
  /** `user@host` of the operator. */
  readonly owner: string;
  readonly command: string;
  /** RFC 3339 */
  readonly since: string;
}

/** The script's first line on stdout: it holds the lock now. */
export const LOCK_TAKEN = 'quorate-lock taken';
/** The lock was left behind by a run whose connection and scripts are gone; it is ours now. */
export const LOCK_TAKEN_OVER = 'quorate-lock taken-over';
/** Somebody else holds it; the lines after it are token, owner, command, since, holder alive (yes, no), script PIDs. */
export const LOCK_HELD = 'quorate-lock held';
/** Written to the script's stdin: take the lock now. The end of stdin instead leaves the host as it is. */
export const TAKE = 'take\n';
/** Written to the script's stdin: give the lock back and end. The end of stdin without it leaves the lock behind. */
export const RELEASE = 'release\n';

const functions = `starttime() {
  { IFS= read -r s < "/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- \${s##*) }
  shift 19
  echo "$1"
}
alive() { [ -n "$1" ] && [ "$(starttime "$1" || :)" = "$2" ]; }
scripts() {
  for f in "$1"/run.*; do
    [ -e "$f" ] || continue
    if alive "\${f##*.}" "$(cat "$f" 2>/dev/null)"; then echo "\${f##*.}"; fi
  done
}
look() {
  holder=no
  if [ -d "$lock" ]; then
    { read -r p s < "$lock/holder"; } 2>/dev/null || p=
    if alive "$p" "$s"; then holder=yes; fi
    running=$(scripts "$lock" | tr '\\n' ' ')
  fi
}
# Takes the lock away, unless a script of its run has begun since the look: those note themselves before they ask for it.
vanish() {
  mv -T "$lock" "$lock.gone.$$"
  running=$(scripts "$lock.gone.$$" | tr '\\n' ' ')
  if [ -z "$running" ]; then rm -rf "$lock.gone.$$"; return 0; fi
  mv -T "$lock.gone.$$" "$lock"
  return 1
}`;

/** Waits on stdin for {@link TAKE}, takes the lock, then waits for {@link RELEASE}. A lock whose holder and scripts have ended is taken over. */
export function lockScript(owner: LockOwner): string {
  return `set -eu
{ read -r word && [ "$word" = take ]; } || exit 0
umask 077
mkdir -p ${quote(QUORATE_DIR)}
cd ${quote(QUORATE_DIR)}
lock=${quote(LOCK_DIR)}
new="$lock.new.$$"
${functions}
exec 9> ${quote(`${LOCK_DIR}.mutex`)}
flock -w 10 9
rm -rf "$lock".new.* "$lock".gone.*
mkdir "$new"
printf '%s\\n' ${quote(owner.token)} > "$new/token"
printf '%s\\n' ${quote(owner.owner)} > "$new/owner"
printf '%s\\n' ${quote(owner.command)} > "$new/command"
printf '%s\\n' ${quote(owner.since)} > "$new/since"
echo "$$ $(starttime $$)" > "$new/holder"
answer=${quote(LOCK_TAKEN)}
tries=0
while [ -d "$lock" ]; do
  look
  if [ "$holder" = no ] && [ -z "$running" ] && vanish; then
    answer=${quote(LOCK_TAKEN_OVER)}
    break
  fi
  tries=$((tries + 1))
  if [ $tries -ge 10 ]; then
    echo ${quote(LOCK_HELD)}
    for f in token owner command since; do head -n 1 "$lock/$f" 2>/dev/null || echo; done
    echo "$holder"
    echo "$running"
    rm -rf "$new"
    exit 0
  fi
  sleep 0.2
done
mv -T "$new" "$lock"
exec 9>&-
echo "$answer"
if read -r word && [ "$word" = release ]; then
  # A script of this run that was given up may go on: then the lock stays until it has ended.
  if [ "$(cat "$lock/token" 2>/dev/null)" = ${quote(owner.token)} ] && [ -z "$(scripts "$lock")" ]; then vanish || :; fi
  echo released
fi`;
}

/** Removes the lock with this token if its holder and its scripts have ended. Prints `released`, `held` or `none`. */
export function unlockScript(token: string): string {
  return `set -eu
lock=${quote(LOCK_DIR)}
${functions}
[ -d "$lock" ] || { echo none; exit 0; }
exec 9> ${quote(`${LOCK_DIR}.mutex`)}
flock -w 10 9
[ "$(cat "$lock/token" 2>/dev/null)" = ${quote(token)} ] || { echo none; exit 0; }
look
if [ "$holder" = yes ] || [ -n "$running" ] || ! vanish; then echo held; exit 0; fi
echo released`;
}
