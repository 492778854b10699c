/** Rules for paths: strict ones for the hosts, where they meet shells, unit files and `rm`; looser ones for the operator's machine. */
import { type Flaw, flaw, type ValueRule } from './value-rule.ts';

/** Everything outside of this means something to a shell, to systemd (`%`, `:`) or to etcd's configuration. */
const hostPathShape = /^(\/[A-Za-z0-9_+@.-]+)+$/;

/** Folders that other software shares or owns: quorate makes, chmods and (in `reset`) removes what it is given. */
const shared = new Set(
  [
    '/bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var',
    '/etc/default /etc/ssh /etc/ssl /etc/systemd /etc/systemd/system /etc/profile.d /etc/pki /etc/kubernetes',
    '/usr/bin /usr/lib /usr/local /usr/local/bin /usr/local/lib /usr/local/sbin /usr/sbin /usr/share /usr/lib64',
    '/var/backups /var/cache /var/lib /var/lib/dpkg /var/lib/systemd /var/log /var/run /var/spool /var/tmp',
  ].flatMap((line) => line.split(' ')),
);

const volatileRoots = ['/tmp', '/var/tmp', '/run', '/var/run', '/dev', '/proc', '/sys', '/boot'];
const hiddenRoots = ['/home', '/root'];
const packagedRoots = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/lib', '/lib64', '/usr/lib'];

/** A folder that quorate makes and owns on a host. */
export const ownDirRule: ValueRule = {
  pattern: '(/[A-Za-z0-9_+@.-]+){2,}',
  check: (text) => checkShape(text) ?? checkPlace(text),
};

/** The folder for links to the binaries: may be shared, if it is not the distribution's own. */
export const binDirRule: ValueRule = {
  pattern: '(/[A-Za-z0-9_+@.-]+)+',
  check: (text) => {
    if (text === '/usr/local/bin' || text === '/usr/local/sbin') return undefined;
    return checkShape(text) ?? checkPlace(text);
  },
};

/** A folder that is already there, and is only read. */
export const existingDirRule: ValueRule = { pattern: '(/[A-Za-z0-9_+@.-]+)+', check: checkShape };

/** A path on the operator's machine: absolute, below `~/`, or relative to the inventory. */
export const operatorPathRule: ValueRule = {
  pattern: '[^\\u0000-\\u001f\\u007f]+',
  check: (text) => {
    if (text === '' || /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text)) {
      return flaw('is no path', 'write a path without control characters');
    }
    if (/^~[^/]/.test(text)) return flaw('names another user’s home', 'write ~/… or an absolute path');
    return text.length > 1024 ? flaw('is longer than 1024 characters', 'write a shorter path') : undefined;
  },
};

/** Whether one of two normalised paths is the other, or lies below it. */
export function overlaps(left: string, right: string): boolean {
  return isBelow(left, right) || isBelow(right, left);
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function checkShape(text: string): Flaw | undefined {
  if (!text.startsWith('/')) return flaw('is not absolute', 'write a path that begins with /: /var/lib/etcd');
  if (text === '/') return flaw('is the whole file system', 'write a folder of its own: /var/lib/etcd');
  const segments = text.slice(1).split('/');
  if (segments.some((each) => each === '' || each === '.' || each === '..')) {
    return flaw('is not normalised', 'write it without //, /./, /../ and a trailing /: /var/lib/etcd');
  }
  if (segments.some((each) => each.startsWith('-'))) return flaw('has a part that begins with -', 'write another name');
  if (text.length > 200) return flaw(`has ${text.length} characters`, 'write at most 200');
  return hostPathShape.test(text)
    ? undefined
    : flaw('has characters that shells or systemd would read', 'write letters, digits and _ + @ . - between /');
}

function checkPlace(text: string): Flaw | undefined {
  if (shared.has(text)) return flaw('is a folder of the system', `write a folder of its own: ${text}/etcd`);
  if (volatileRoots.some((root) => isBelow(text, root))) {
    return flaw(
      'lies where a reboot empties or nothing may be kept',
      'write a folder below /var/lib or a disk of its own',
    );
  }
  if (hiddenRoots.some((root) => isBelow(text, root))) {
    return flaw('lies in a home, which the hardened unit cannot see (ProtectHome)', 'write a folder below /var/lib');
  }
  if (packagedRoots.some((root) => isBelow(text, root))) {
    return flaw('belongs to the distribution’s packages', 'write a folder below /usr/local or /opt');
  }
  return isBelow(text, '/var/lib/quorate')
    ? flaw('is where quorate keeps its own notes', 'write another folder: /var/lib/etcd')
    : undefined;
}
