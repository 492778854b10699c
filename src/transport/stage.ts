/**
 * The command line that starts a script on a host whatever the login shell is, and the bytes that go before the
 * script's own stdin.
 *
 * The login shell (sh, bash, fish, csh, …) only ever sees `/bin/sh -c '…'` with nothing inside the quotes that any of
 * them reads: no quote, backslash, `!` or newline. That first stage takes the script from stdin, so that it stands in no
 * process list and has no size limit, and reads not one byte more. Marks tell the script's own output from what start
 * files and sudo print before it.
 */

/** How the first stage becomes root. */
export type RootMode = 'login' | 'none' | 'passwordless' | 'password';

/** Everything that a started script is recognised by. */
export interface Stage {
  /** For the login shell to run. */
  readonly command: string;
  /** What the first stage waits for on stdin. */
  readonly header: string;
  /** On stdout once the first stage runs (so sudo has let it through) and reads its stdin. */
  readonly ready: string;
  /** On stdout and stderr directly before the script's own output. */
  readonly begin: string;
  /** sudo's question for the password, on stderr; empty when sudo has none to ask. */
  readonly prompt: string;
}

/** The first stage's own exit statuses, valid only before {@link Stage.begin} was seen. */
export const stageStatus = {
  /** The script did not arrive whole, or base64 is missing. */
  incomplete: 97,
  /** The login user was said to be root and is not. */
  notRoot: 98,
} as const;

/**
 * The stage for a script of any size. `mode` is `login` for scripts that run as the login user, otherwise how root is
 * reached. `nonce` is a fresh random word of letters and digits.
 *
 * Scripts start in `/` with `umask 022`, `LC_ALL=C` and the sbin folders at the end of PATH, so that they do the same
 * whatever the login's environment is. Throws a RangeError for a script with NUL.
 */
export function stageScript(script: string, mode: RootMode, nonce: string): Stage {
  if (!/^[A-Za-z0-9]{8,64}$/.test(nonce)) throw new RangeError('the nonce must be 8 to 64 letters or digits');
  if (script.includes('\0')) throw new RangeError('a script cannot hold NUL');
  const payload = Buffer.from(script, 'utf8').toString('base64');
  const prompt = mode === 'password' ? `${nonce}ask` : '';
  return {
    command: `${becomeRoot(mode, prompt)}/bin/sh -c '${firstStage(payload.length, mode !== 'login', nonce)}' quorate`,
    header: `${nonce}\n${payload}`,
    ready: `${nonce}ready`,
    begin: `${nonce}begin`,
    prompt,
  };
}

function becomeRoot(mode: RootMode, prompt: string): string {
  switch (mode) {
    case 'login':
    case 'none':
      return '';
    case 'passwordless':
      return 'sudo -n ';
    case 'password':
      return `sudo -k -S -p ${prompt} `;
  }
}

/**
 * Reads lines until the nonce (a password that sudo did not take is skipped), then exactly `length` bytes. `read` takes
 * one byte a system call from a pipe, too slow for a script; each `dd` is one read(2) of at most what is missing. The
 * marks are printed in two halves so that a start file with `set -x` cannot print them whole.
 */
function firstStage(length: number, root: boolean, nonce: string): string {
  return [
    'LC_ALL=C;PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin;export LC_ALL PATH',
    'unset CDPATH GREP_OPTIONS TAR_OPTIONS;umask 022;cd /',
    ...(root
      ? [
          `while read -r q r u w;do [ "$q" = Uid: ]&&break;done </proc/self/status;[ "$u" = 0 ]||exit ${stageStatus.notRoot}`,
        ]
      : []),
    `printf %s%s ${nonce} ready`,
    `while IFS= read -r q;do [ "$q" = ${nonce} ]&&break;done`,
    `q=;while [ \${#q} -lt ${length} ];do`,
    `r=$(dd bs=$((${length}-\${#q})) count=1 2>/dev/null);[ "$r" ]||exit ${stageStatus.incomplete};q=$q$r;done`,
    `q=$(printf %s "$q"|base64 -d)||exit ${stageStatus.incomplete}`,
    `printf %s%s ${nonce} begin;printf %s%s ${nonce} begin >&2`,
    'eval "$q"',
  ]
    .join(';')
    .replaceAll(';do;', ';do ');
}
