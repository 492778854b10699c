/** Bad states on demand: what goes wrong on real hosts, done to a lab host. Each lasts until its host reboots unless it says otherwise. */
import { type Command, type ExecOptions, execOrThrow } from './exec.ts';
import { setLink } from './network.ts';
import type { PoweredHost } from './power.ts';

/** Everything that can be done to one host, apart from its power. */
export interface Faults {
  /** Pulls the host's network cable; its own loopback still works. */
  linkDown(): Promise<void>;
  linkUp(): Promise<void>;
  /**
   * Makes `date` on the host tell a time that is `seconds` off; 0 undoes it. Containers share this machine's clock,
   * so this is a wrapper over /bin/date and nothing else notices: not etcd, not TLS, not systemd.
   */
  fakeClock(seconds: number): Promise<void>;
  /** Makes `/proc/meminfo` tell this much memory; the limit itself is `memoryBytes` of the lab. */
  fakeMemory(sizeBytes: number): Promise<void>;
  /** Puts an empty file system of this size over a folder, which is made if missing; owner and mode stay. */
  limitDisk(path: string, sizeBytes: number): Promise<void>;
  /** Fills the file system at `path` until nothing more fits, with a file `lab-ballast` in it. */
  fillDisk(path: string): Promise<void>;
  remountReadOnly(path: string): Promise<void>;
  mountNoexec(path: string): Promise<void>;
  /** Takes the topmost mount off `path` again: undoes limitDisk, remountReadOnly and mountNoexec. */
  unmount(path: string): Promise<void>;
  /** Drops packets to and from a TCP port between this host and others. */
  cutPort(port: number): Promise<void>;
  /** Opens all ports that were cut. */
  openPorts(): Promise<void>;
  /** Writes a file, whole; folders are made. Lasts. */
  putFile(path: string, content: string | Uint8Array, mode: number): Promise<void>;
  /** Lasts. The shell's package must be in the lab (`packages`). */
  setLoginShell(user: string, shell: string): Promise<void>;
}

/** The faults of one host. */
export function faultsOf(target: PoweredHost): Faults {
  const run = async (command: Command, options?: ExecOptions): Promise<void> => {
    await execOrThrow({ place: target.place, host: target.host.name }, command, options);
  };
  const script = (text: string, ...args: string[]) => run(['sh', '-euc', text, 'sh', ...args]);
  return {
    linkDown: () => setLink(target.host.machine, 'down'),
    linkUp: () => setLink(target.host.machine, 'up'),
    fakeClock: (seconds) => script(seconds === 0 ? trueClock : falseClock, String(Math.trunc(seconds))),
    fakeMemory: (sizeBytes) => script(falseMemory, String(Math.floor(sizeBytes / 1024))),
    limitDisk: (path, sizeBytes) => script(smallDisk, path, String(sizeBytes)),
    fillDisk: (path) => script('cat /dev/zero > "$1/lab-ballast" 2> /dev/null || true', path),
    remountReadOnly: (path) => script('mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"', path),
    mountNoexec: (path) => script('mount --bind "$1" "$1"; mount -o remount,bind,noexec "$1"', path),
    unmount: (path) => run(['umount', path]),
    cutPort: (port) => run(['nft', '-f', '-'], { stdin: dropRules(port) }),
    openPorts: () => script('nft delete table inet lab_cut 2> /dev/null || true'),
    putFile: (path, content, mode) => run(['sh', '-euc', wholeFile, 'sh', path, mode.toString(8)], { stdin: content }),
    setLoginShell: (user, shell) => run(['usermod', '--shell', shell, user]),
  };
}

const trueClock = `umount /bin/date 2> /dev/null || true`;

const falseClock = `umount /bin/date 2> /dev/null || true
mkdir -p /run/lab-clock
cp /bin/date /run/lab-clock/date
cat > /run/lab-clock/wrapper <<END
#!/bin/sh
now=\\$(/run/lab-clock/date +%s.%N)
exec /run/lab-clock/date -d "@\\$((\\\${now%.*} + $1)).\\\${now#*.}" "\\$@"
END
chmod 755 /run/lab-clock/wrapper
mount --bind /run/lab-clock/wrapper /bin/date
`;

const falseMemory = `umount /proc/meminfo 2> /dev/null || true
awk -v k="$1" '/^(MemTotal|MemFree|MemAvailable):/ { printf "%-16s%8d kB\\n", $1, k; next } { print }' \\
  /proc/meminfo > /run/lab-meminfo
mount --bind /run/lab-meminfo /proc/meminfo
`;

const smallDisk = `mkdir -p "$1"
mount -t tmpfs -o "size=$2,mode=$(stat -c %a "$1"),uid=$(stat -c %u "$1"),gid=$(stat -c %g "$1")" tmpfs "$1"
`;

const wholeFile = `mkdir -p "$(dirname "$1")"
cat > "$1.lab-new"
chmod "$2" "$1.lab-new"
mv "$1.lab-new" "$1"
`;

function dropRules(port: number): string {
  return `table inet lab_cut {
  chain input { type filter hook input priority 0; iifname != "lo" tcp dport ${port} drop; iifname != "lo" tcp sport ${port} drop; }
  chain output { type filter hook output priority 0; oifname != "lo" tcp dport ${port} drop; oifname != "lo" tcp sport ${port} drop; }
}
`;
}
