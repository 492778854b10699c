/** Throw-away login accounts on this machine, for tests that need other shells, passwords and sudo rules. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';

export interface Account {
  readonly user: string;
  readonly password: string;
  readonly home: string;
  /** Writes a file into its home, which belongs to it. */
  write(name: string, text: string): void;
  /** Replaces its rule in sudoers; undefined: none. */
  sudoers(rule: string | undefined): void;
  remove(): void;
}

/** Installs Debian packages that are missing; the tests run as root. */
export function needPackages(...names: readonly string[]): void {
  try {
    execFileSync('dpkg', ['-s', ...names], { stdio: 'ignore' });
  } catch {
    const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
    execFileSync('apt-get', ['update', '-q'], options);
    execFileSync('apt-get', ['install', '-y', '-q', ...names], options);
  }
}

export function makeAccount(shell = '/bin/bash'): Account {
  const user = `quorate-${randomBytes(4).toString('hex')}`;
  const password = `pw-${randomBytes(8).toString('hex')}`;
  const home = `/tmp/home-${user}`;
  const rules = `/etc/sudoers.d/${user}`;
  execFileSync('useradd', ['--create-home', '--home-dir', home, '--shell', shell, user]);
  execFileSync('chpasswd', { input: `${user}:${password}\n` });
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user])));
  return {
    ...{ user, password, home },
    write(name, text) {
      writeFileSync(`${home}/${name}`, text);
      chownSync(`${home}/${name}`, uid, gid);
    },
    sudoers(rule) {
      rmSync(rules, { force: true });
      if (rule === undefined) return;
      writeFileSync(rules, `${rule}\n`);
      chmodSync(rules, 0o440);
    },
    remove() {
      rmSync(rules, { force: true });
      execFileSync('userdel', ['--force', user], { stdio: 'ignore' });
      rmSync(home, { recursive: true, force: true });
    },
  };
}
