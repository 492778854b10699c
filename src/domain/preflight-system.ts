/** Whether a host's system can run a member at all. */
import { requireArchitecture } from './architecture.ts';
import { QuorateError } from './errors.ts';
import { binaryNames } from './layout.ts';
import { agreeing } from './plural.ts';
import type { HostCheck, Problem } from './problem.ts';

/** Unit facts that quorate reads came with these: InvocationID 232, NRestarts 235 (systemd's NEWS). RHEL 8 has 239, Ubuntu 18.04 237. */
const OLDEST_SYSTEMD = 235;
/** etcd's hardware guide asks for 8 GB in production; below this it swaps. */
const MEMORY_WARN_BYTES = 2e9;

/** System, architecture, root, programs, memory, names. Without systemd nothing else is worth telling. */
export function checkSystem(check: HostCheck): readonly Problem[] {
  if (check.host.supervisor !== 'systemd') return [withoutSystemd(check)];
  return [
    ...systemdTooOld(check),
    ...architectureUnknown(check),
    ...notRoot(check),
    ...toolsMissing(check),
    ...binariesMissing(check),
    ...memoryShort(check),
    ...nameDiffers(check),
    ...defaultsIgnored(check),
  ];
}

function withoutSystemd({ host }: HostCheck): Problem {
  return {
    host: host.host,
    level: 'refuse',
    message: `${host.host}: ${host.os.pretty} does not run systemd, and quorate runs etcd as a systemd unit`,
    hint: 'use a host with systemd: Debian, Ubuntu, a RHEL-like distribution, SUSE (a container needs systemd as its first process)',
  };
}

function systemdTooOld({ host }: HostCheck): readonly Problem[] {
  if (host.systemdVersion >= OLDEST_SYSTEMD) return [];
  const message = `${host.host}: systemd is ${host.systemdVersion} on ${host.os.pretty} (${OLDEST_SYSTEMD} or later is needed)`;
  return [{ host: host.host, level: 'refuse', message, hint: 'upgrade the distribution of this host' }];
}

function architectureUnknown({ cluster, host }: HostCheck): readonly Problem[] {
  if (cluster.binaries.kind === 'system') return [];
  try {
    requireArchitecture(host.machine, host.host);
    return [];
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return [{ host: host.host, level: 'refuse', message: error.message, hint: error.hint ?? '' }];
  }
}

function notRoot({ controller, host }: HostCheck): readonly Problem[] {
  if (host.root) return [];
  return [
    {
      host: host.host,
      level: 'refuse',
      message: `${host.host}: ${controller.ssh.user} does not become root there`,
      hint: 'log in as root, or set ssh.sudo for this controller',
    },
  ];
}

function toolsMissing({ host }: HostCheck): readonly Problem[] {
  const missing = [...host.missingTools, ...(host.keyTool === undefined ? ['ssh-keygen or openssl'] : [])];
  if (missing.length === 0) return [];
  const debian = host.os.id === 'debian' || host.os.like.includes('debian');
  const packages = debian
    ? 'coreutils grep gzip openssl passwd sed tar'
    : 'coreutils grep gzip openssl sed shadow-utils tar';
  return [
    {
      host: host.host,
      level: 'refuse',
      message: `${host.host}: ${agreeing(missing.length, 'a program is', 'programs are')} missing: ${missing.join(', ')}`,
      hint: `install them, for example: ${debian ? 'apt-get install' : 'dnf install'} ${packages}${missing.includes('curl') ? ' curl' : ''}`,
    },
  ];
}

/** `binaries: {source: system}`: nothing installs what is not there. */
function binariesMissing({ cluster, host }: HostCheck): readonly Problem[] {
  const { binaries } = cluster;
  if (binaries.kind !== 'system') return [];
  const missing = binaryNames(cluster).filter((name) => host.files[`${binaries.directory}/${name}`] === undefined);
  if (missing.length === 0) return [];
  return [
    {
      host: host.host,
      level: 'refuse',
      message: `${host.host}: ${binaries.directory} holds no ${missing.join(', ')}, and binaries.source is system`,
      hint: 'install etcd there, or let quorate do it: binaries: {source: release}',
    },
  ];
}

function memoryShort({ host }: HostCheck): readonly Problem[] {
  if (host.memoryBytes >= MEMORY_WARN_BYTES) return [];
  const message = `${host.host}: has ${(host.memoryBytes / 1e9).toFixed(1)} GB of memory (etcd wants 2 GB at least)`;
  return [{ host: host.host, level: 'warn', message, hint: 'give the host more memory before load comes' }];
}

function nameDiffers({ controller, host }: HostCheck): readonly Problem[] {
  const { hostname } = host;
  if (hostname === controller.name || hostname.split('.')[0] === controller.name) return [];
  return [
    {
      host: host.host,
      level: 'warn',
      message: `${host.host}: the host calls itself ${hostname || '(nothing)'}, and the inventory ${controller.name}`,
      hint: 'look whether the address is that of the right host; a controller may have a name of its own',
    },
  ];
}

/** etcdmain/config.go: with a configuration file etcd ignores its environment and all other flags. */
function defaultsIgnored({ host }: HostCheck): readonly Problem[] {
  return host.ignoredDefaults.map((path) => ({
    host: host.host,
    level: 'warn' as const,
    message: `${host.host}: ${path} is there and will not be read: the configuration file replaces it`,
    hint: `move what is still wanted into the inventory's etcd section, then remove ${path}`,
  }));
}
