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
/** Behind the output of what runs once the lock is taken. */
export const LOCK_LOOKED = 'quorate-lock looked';
/** Somebody else holds it; the lines after it are token, owner, command, since, holder alive (yes, no), script PIDs. */
export const LOCK_HELD = 'quorate-lock held';
/** Written to the script's stdin: take the lock now. The end of stdin instead leaves the host as it is. */
export const TAKE = 'take\n';
/** Written to the script's stdin: give the lock back and end. The end of stdin without it leaves the lock behind. */
export const RELEASE = 'release\n';
/** Written to the script's stdin again and again while the run lives: see {@link Patience}. */
export const BEAT = 'beat\n';

/** A connection whose network died may look open for hours, so the holder itself ends after so many intervals without {@link BEAT}. */
export interface Patience {
  readonly intervalS: number;
  readonly beatsMissed: number;
}

/** A minute: more than any pause of a run that lives, and what a person waits for `unlock`. The fencing token guards against a run that comes back later. */
export const PATIENCE: Patience = { intervalS: 10, beatsMissed: 6 };

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
# Numbers of processes mean something within one boot only.
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown)
rebooted() { [ -s "$1/boot" ] && [ "$(cat "$1/boot")" != "$boot" ]; }
look() {
  holder=no
  running=
  if [ -d "$lock" ] && ! rebooted "$lock"; then
    { read -r p s < "$lock/holder"; } 2>/dev/null || p=
    if alive "$p" "$s"; then holder=yes; fi
    running=$(scripts "$lock" | tr '\\n' ' ')
  fi
}
# Takes the lock away, unless a script of its run has begun since the look: those note themselves before they ask for it.
vanish() {
  mv -T "$lock" "$lock.gone.$$"
  running=
  rebooted "$lock.gone.$$" || running=$(scripts "$lock.gone.$$" | tr '\\n' ' ')
  if [ -z "$running" ]; then rm -rf "$lock.gone.$$"; return 0; fi
  mv -T "$lock.gone.$$" "$lock"
  return 1
}`;

/** What a lock's script does besides. */
export interface LockExtras {
  readonly patience?: Patience;
  /** POSIX sh in a subshell of its own that runs at once when the lock is taken; {@link LOCK_LOOKED} stands behind what it prints. */
  readonly look?: string | undefined;
}

/**
 * Waits on stdin for {@link TAKE}, takes the lock, looks, then waits for {@link RELEASE}, and for {@link BEAT} meanwhile. A lock whose holder and scripts have
 * ended, or are from another boot, is taken over. The mutex is held for moments only, so that many who ask at once all learn who holds the lock.
 */
export function lockScript(owner: LockOwner, { patience = PATIENCE, look }: LockExtras = {}): string {
  const { intervalS, beatsMissed } = patience;
  return `set -eu
{ read -r word && [ "$word" = take ]; } || exit 0
umask 077
mkdir -p ${quote(QUORATE_DIR)}
cd ${quote(QUORATE_DIR)}
lock=${quote(LOCK_DIR)}
new="$lock.new.$$"
${functions}
held() {
  echo ${quote(LOCK_HELD)}
  for f in token owner command since; do head -n 1 "$lock/$f" 2>/dev/null || echo; done
  echo "$holder"
  echo "$running"
  exit 0
}
exec 9> ${quote(`${LOCK_DIR}.mutex`)}
answer=${quote(LOCK_TAKEN)}
tries=0
while :; do
  flock -w 10 9 || { look; held; }
  [ -d "$lock" ] || break
  look
  if [ "$holder" = no ] && [ -z "$running" ] && vanish; then
    answer=${quote(LOCK_TAKEN_OVER)}
    break
  fi
  flock -u 9
  tries=$((tries + 1))
  [ $tries -lt 10 ] || held
  sleep 0.2
done
rm -rf "$lock".new.* "$lock".gone.*
mkdir "$new"
printf '%s\\n' ${quote(owner.token)} > "$new/token"
printf '%s\\n' ${quote(owner.owner)} > "$new/owner"
printf '%s\\n' ${quote(owner.command)} > "$new/command"
printf '%s\\n' ${quote(owner.since)} > "$new/since"
printf '%s\\n' "$boot" > "$new/boot"
started=$(starttime $$)
echo "$$ $started" > "$new/holder"
mv -T "$new" "$lock"
exec 9>&-
echo "$answer"
(
  # Its sleep outlives it for a moment, and must not keep that folder's file system busy.
  cd /
  missed=0
  trap 'missed=0' USR1
  while [ $missed -lt ${beatsMissed} ]; do
    sleep ${intervalS} &
    wait $! || continue
    missed=$((missed + 1))
    alive $$ "$started" || exit 0
  done
  if alive $$ "$started"; then kill -TERM $$; fi
) </dev/null >/dev/null 2>&1 &
watch=$!
${look === undefined ? '' : `(\ncd /\n${look}\n) </dev/null || :\necho ${quote(LOCK_LOOKED)}\n`}word=
while read -r word && [ "$word" = beat ]; do kill -USR1 $watch 2>/dev/null || :; done
kill -TERM $watch 2>/dev/null || :
if [ "$word" = release ]; then
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
