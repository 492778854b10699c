/** The shell functions that every stage script begins with, and the frame around the steps. */
import { LOCK_DIR, QUORATE_DIR } from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';
import type { Fragment, Laid } from './fragment.ts';

/** The exit status of a script whose lock is no longer its own. */
export const LOCK_LOST = 75;
/** A line on stdout that says which step begins. */
export const STEP_LINE = 'quorate-step ';
/** A line on stdout that says that all steps are done. */
export const STEPS_DONE = 'quorate-steps done';

/** What surrounds the steps of a stage's script. */
export interface Frame {
  /** The lock's fencing token. */
  readonly token: string;
  /** Of the tar at the beginning of stdin. */
  readonly tarBytes: number;
  readonly probe: string;
}

/**
 * One script for all steps of a host in a stage: checks the fencing token, unpacks the tar on stdin into a folder of its
 * own, runs the steps in order, and ends with the probe. While it runs, `run.PID` in the lock folder says so.
 */
export function stageScript(fragments: readonly Fragment[], { token, tarBytes, probe }: Frame): string {
  let laid: Laid[] = [];
  const steps = fragments.map((each, index) => {
    const lines = [`echo ${quote(`${STEP_LINE}${index}`)}`, each.script];
    if (each.laid !== undefined) laid.push(each.laid);
    if (laid.length > 0 && fragments[index + 1]?.laid === undefined) {
      lines.push(settle(laid.flatMap(({ paths }) => paths)), ...laid.flatMap(({ after }) => after ?? []));
      laid = [];
    }
    return lines.join('\n');
  });
  return [prelude(token, tarBytes), ...steps, `echo ${quote(STEPS_DONE)}`, 'set +eu', probe].join('\n');
}

/** Gives each of `paths` what was laid beside it (see `lay`): whole or not at all, also across a power cut. */
export function settle(paths: readonly string[]): string {
  const names = paths.map((path) => {
    const cut = path.lastIndexOf('/');
    return { path, folder: path.slice(0, cut), laid: `${path.slice(0, cut)}/.${path.slice(cut + 1)}.quorate-new` };
  });
  return [
    `sync ${names.map(({ laid }) => quote(laid)).join(' ')}`,
    ...names.map(({ path, laid }) => `mv -fT ${quote(laid)} ${quote(path)}`),
    `sync ${[...new Set(names.map(({ folder }) => folder))].map(quote).join(' ')}`,
  ].join('\n');
}

/** tar alone would read on to the end of stdin, which may hold more for a step: dd takes the tar and not a byte more. */
function prelude(token: string, tarBytes: number): string {
  return `set -eu
umask 022
LC_ALL=C; export LC_ALL
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
cd /
lock=${quote(LOCK_DIR)}
${functions}
# Noted first, asked afterwards: who takes the lock away looks for notes once more when nobody can add any.
{ starttime $$ > "$lock/run.$$"; } 2>/dev/null || :
held=
{ IFS= read -r held < "$lock/token"; } 2>/dev/null || :
if [ "$held" != ${quote(token)} ]; then
  rm -f "$lock/run.$$"
  echo 'the lock of this run is gone from this host' >&2
  exit ${LOCK_LOST}
fi
[ -s "$lock/run.$$" ] || { echo "cannot write to $lock" >&2; exit 1; }
stage=$lock/run.$$
leave() { rm -rf "$stage" "$lock/run.$$"; }
trap leave EXIT
trap 'exit 143' HUP INT TERM
for each in ${quote(QUORATE_DIR)}/stage.*; do
  [ ! -e "$each" ] || rm -rf "$each"
done
stage=$(mktemp -d ${quote(QUORATE_DIR)}/stage.XXXXXX)
dd bs=512 count=${tarBytes / 512} iflag=fullblock 2>/dev/null | tar -xmf - -C "$stage"`;
}

const functions = `starttime() {
  IFS= read -r s < "/proc/$1/stat"
  # shellcheck disable=SC2086
  set -- \${s##*) }
  shift 19
  echo "$1"
}
# lay SOURCE PATH MODE OWNER GROUP: beside PATH, under a name of its own.
lay() {
  dir=\${2%/*}
  [ -d "$dir" ] || mkdir -p "$dir"
  install -T -m "$3" -o "$4" -g "$5" "$1" "$dir/.\${2##*/}.quorate-new"
}
# put_all FOLDER DIRECTORY: every file of FOLDER for root, readable for all; each whole or not at all, also across a power cut.
put_all() {
  rm -rf "$2/.new"
  mkdir -m 0700 "$2/.new"
  install -m 0644 -o root -g root "$1"/* "$2/.new"
  sync "$2/.new"/*
  mv -f "$2/.new"/* "$2"
  rmdir "$2/.new"
  sync "$2"
}
# point TARGET PATH: the link changes at once; a sync of its folder makes that last.
point() {
  [ ! -L "$2.quorate-new" ] || rm -f "$2.quorate-new"
  ln -s "$1" "$2.quorate-new"
  mv -fT "$2.quorate-new" "$2"
}
link() {
  point "$1" "$2"
  sync "\${2%/*}"
}`;
