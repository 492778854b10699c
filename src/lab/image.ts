/** The base image of lab hosts: a small Debian with systemd and sshd, made once for each recipe and then only read. */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireSettings, debianSources, formatSources } from './apt.ts';
import { withFolderLock } from './lock.ts';
import { runProgram } from './program.ts';
import type { Say } from './say.ts';

/** What an image is made from. */
export interface ImageRecipe {
  /** Debian packages besides the minimal system's. */
  readonly packages: readonly string[];
  /** Debian's code name: `bookworm`. */
  readonly suite: string;
}

const basePackages = [
  'bash-completion',
  'ca-certificates',
  'curl',
  'dbus',
  'iproute2',
  'libpam-systemd',
  'nftables',
  'openssh-server',
  'openssl',
  'procps',
  'sudo',
  'systemd',
  'systemd-sysv',
];

/** Runs as root in the new system: the login of operators, and the address that each host reads from its own file. */
const customize = `set -eu
useradd --create-home --shell /bin/bash ops
printf 'ops ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/ops
chmod 0440 /etc/sudoers.d/ops
cat > /etc/systemd/system/lab-network.service <<'UNIT'
[Unit]
Description=Addresses of a lab host
DefaultDependencies=no
After=systemd-remount-fs.service systemd-sysctl.service
Before=network-pre.target network.target network-online.target ssh.service shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip -batch /etc/lab-network
[Install]
WantedBy=multi-user.target network-online.target
UNIT
systemctl enable lab-network.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer dpkg-db-backup.timer console-getty.service
rm -f /etc/ssh/ssh_host_* /etc/machine-id /etc/hostname /etc/resolv.conf
: > /etc/machine-id
`;

/** The folder of the image for a recipe, made when it is missing (25 s from a near archive). */
export async function ensureImage(
  cache: string,
  recipe: ImageRecipe,
  options: { readonly say: Say; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const images = join(cache, 'images');
  const folder = join(images, recipeHash(recipe));
  if (await isComplete(folder)) return folder;
  return withFolderLock(images, 900_000, async () => {
    if (await isComplete(folder)) return folder;
    options.say(`making the base image of lab hosts (Debian ${recipe.suite}), once: about half a minute`);
    await removeLeftovers(images);
    await buildImage(folder, recipe, options.signal);
    return folder;
  });
}

/** This machine's Debian code name; an image of the same suite is made from this machine's own apt sources. */
export async function machineSuite(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1];
  return /^ID=debian$/m.test(release) && codename ? codename : 'bookworm';
}

/** A name for everything that decides what an image holds. */
export function recipeHash(recipe: ImageRecipe): string {
  const text = JSON.stringify([recipe.suite, packagesOf(recipe), customize]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function packagesOf(recipe: ImageRecipe): string[] {
  return [...new Set([...basePackages, ...recipe.packages])].sort();
}

/** What is started behind this ends with this process, mounts included, however this process ends. */
const together = [
  'setpriv',
  '--pdeathsig',
  'KILL',
  'unshare',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

async function buildImage(folder: string, recipe: ImageRecipe, signal: AbortSignal | undefined): Promise<void> {
  const temporary = `${folder}.${randomUUID()}.tmp`;
  await mkdir(temporary, { recursive: true });
  const settings = join(temporary, 'apt.conf');
  await writeFile(settings, `${await acquireSettings()}APT::Install-Recommends "false";\n`);
  const target = join(temporary, 'root');
  const argv = [...together, 'mmdebstrap', '--mode=root', '--variant=minbase', '--format=directory', '--quiet'];
  argv.push(`--aptopt=${settings}`, `--include=${packagesOf(recipe).join(',')}`);
  argv.push(`--customize-hook=chroot "$1" sh -c "$LAB_CUSTOMIZE"`, recipe.suite, target, '-');
  await runProgram(argv, {
    input: formatSources(await debianSources(recipe.suite)),
    env: { LAB_CUSTOMIZE: customize, LC_ALL: 'C.UTF-8' },
    timeoutMs: 900_000,
    signal,
  });
  await rename(target, folder);
  await rm(temporary, { recursive: true });
}

async function isComplete(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}

async function removeLeftovers(images: string): Promise<void> {
  await mkdir(images, { recursive: true });
  for (const name of await readdir(images)) {
    if (name.endsWith('.tmp')) await rm(join(images, name), { recursive: true, force: true });
  }
}
