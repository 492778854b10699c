/** Runs command lines in a real login shell on this machine, as sshd would, with a sudo of the test's own. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exit, Launch, Pipes } from '../../../src/transport/launch.ts';
import { type RootMode, stageScript } from '../../../src/transport/stage.ts';

/** Starts `shell -c command`. */
export function shellPipes(shell: string, command: string, env: Record<string, string> = {}): Pipes {
  const child = spawn(shell, ['-c', command], { stdio: 'pipe', env: { PATH: process.env['PATH'] ?? '', ...env } });
  const exit = new Promise<Exit>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status: status ?? undefined, signal: signal ?? undefined }));
  });
  return {
    ...{ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exit },
    close: () => child.kill('SIGKILL'),
  };
}

/** A launch of a script, with a nonce like the real ones. */
export function launchOf(script: string, mode: RootMode = 'login', password?: string): Launch {
  const stage = stageScript(script, mode, `nonce${Math.random().toString(36).slice(2)}00000000`.slice(0, 20));
  return { host: 'etcd-1', label: 'testing', user: 'ada', stage, mode, password };
}

/** A sudo that behaves as sudo(8) says, and writes down its words and every line that it took for a password. */
export interface FakeSudo {
  readonly env: Record<string, string>;
  words(): string;
  passwords(): readonly string[];
  remove(): void;
}

const fakeSudo = `#!/bin/sh
echo "$*" >>"$FAKE/words"
prompt=
while [ $# -gt 0 ]; do
  case $1 in
    -n) asks=no ;;
    -k|-S) ;;
    -p) prompt=$2; shift ;;
    *) break ;;
  esac
  shift
done
echo 'We trust you have received the usual lecture' >&2
case $FAKE_MODE in
  free) exec "$@" ;;
  denied) echo 'ada is not in the sudoers file.' >&2; exit 1 ;;
esac
[ "$asks" = no ] && { echo 'sudo: a password is required' >&2; exit 1; }
for try in 1 2 3; do
  printf %s "$prompt" >&2
  IFS= read -r line || { echo 'sudo: no password was provided' >&2; exit 1; }
  printf '%s\\n' "$line" >>"$FAKE/passwords"
  if [ "$line" = "$FAKE_PASSWORD" ]; then
    [ "$FAKE_MODE" = unlisted ] && { echo 'ada is not in the sudoers file.' >&2; exit 1; }
    exec "$@"
  fi
  echo 'Sorry, try again.' >&2
done
exit 1
`;

export function makeFakeSudo(mode: 'free' | 'denied' | 'asks' | 'unlisted', password = 'right'): FakeSudo {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-sudo-'));
  writeFileSync(join(folder, 'sudo'), fakeSudo);
  chmodSync(join(folder, 'sudo'), 0o755);
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return '';
    }
  };
  return {
    env: { PATH: `${folder}:${process.env['PATH']}`, FAKE: folder, FAKE_MODE: mode, FAKE_PASSWORD: password },
    words: () => read('words'),
    passwords: () => read('passwords').split('\n').slice(0, -1),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
