/** Installs the programs that tests are judged by or need, where this machine is a Debian and we are root; says so. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const programs = {
  age: 'age',
  certtool: 'gnutls-bin',
  shellcheck: 'shellcheck',
  tmux: 'tmux',
  fish: 'fish',
  tcsh: 'tcsh',
  'systemd-analyze': 'systemd',
  sshd: 'openssh-server',
} as const;

const folders = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

export function setup(): void {
  const missing = Object.entries(programs).filter(([name]) => !folders.some((each) => existsSync(`${each}/${name}`)));
  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))];
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.log(`tests that need ${packages.join(', ')} will be skipped: not root on a Debian`);
    return;
  }
  console.log(`installing ${packages.join(', ')} for the tests`);
  const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  execFileSync('apt-get', ['update', '-q'], options);
  execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], options);
}
