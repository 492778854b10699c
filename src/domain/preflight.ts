/** What stands in the way of building a cluster on these hosts, and what is merely unwise: from facts alone. */
import type { Cluster } from './cluster.ts';
import type { Facts, HostFacts } from './facts.ts';
import { checkDisks } from './preflight-disk.ts';
import { checkFolders } from './preflight-folders.ts';
import { checkNetwork } from './preflight-network.ts';
import { checkSystem } from './preflight-system.ts';
import type { HostCheck, Problem } from './problem.ts';

/** etcd's leases and certificates bear no more than this between hosts; raft itself needs no clock. */
const CLOCK_REFUSE_MS = 30_000;
const CLOCK_WARN_MS = 2_000;

/** Every problem, by the inventory's order of hosts. Hosts without facts are the caller's to report. */
export function preflight(cluster: Cluster, facts: Facts): readonly Problem[] {
  const checks = cluster.controllers.flatMap((controller) => {
    const host = facts.hosts[controller.name];
    return host === undefined ? [] : [{ cluster, controller, host }];
  });
  const hosts = checks.map((each) => each.host);
  return checks.flatMap((check) => [
    ...checkSystem(check),
    ...checkClock(check, hosts),
    ...checkSameMachine(check.host, hosts),
    ...checkFolders(check),
    ...checkDisks(check),
    ...checkNetwork(check),
  ]);
}

function checkClock({ cluster, host }: HostCheck, hosts: readonly HostFacts[]): readonly Problem[] {
  const offset = host.clockOffsetMs - median(hosts.map((each) => each.clockOffsetMs));
  const hint = 'synchronise the clocks of all hosts: systemctl enable --now systemd-timesyncd (or chrony)';
  const behindMs = -host.clockOffsetMs;
  if (Math.abs(offset) > CLOCK_REFUSE_MS) {
    const message = `${host.host}: clock is ${seconds(offset)} the median (limit ${CLOCK_REFUSE_MS / 1000} s)`;
    return [{ host: host.host, level: 'refuse', message, hint }];
  }
  if (behindMs > cluster.pki.backdateMinutes * 60_000) {
    const limit = `certificates are dated back by ${cluster.pki.backdateMinutes} min`;
    const message = `${host.host}: clock is ${seconds(-behindMs)} this machine: certificates made now would not be valid there yet (${limit})`;
    return [{ host: host.host, level: 'refuse', message, hint }];
  }
  if (Math.abs(offset) <= CLOCK_WARN_MS) return [];
  const message = `${host.host}: clock is ${seconds(offset)} the median (more than ${CLOCK_WARN_MS / 1000} s)`;
  return [{ host: host.host, level: 'warn', message, hint }];
}

/** Two controllers that are one machine would be one failure; clones that kept their machine ID are only unwise. */
function checkSameMachine(host: HostFacts, hosts: readonly HostFacts[]): readonly Problem[] {
  const twin = hosts.find((each) => each !== host && each.machineId !== '' && each.machineId === host.machineId);
  if (twin === undefined) return [];
  if (twin.bootId !== '' && twin.bootId === host.bootId) {
    return [
      {
        host: host.host,
        level: 'refuse',
        message: `${host.host}: is the same machine as ${twin.host} (machine ID ${host.machineId})`,
        hint: 'give each controller an address of its own host: members on one machine fail together',
      },
    ];
  }
  return [
    {
      host: host.host,
      level: 'warn',
      message: `${host.host}: has the machine ID of ${twin.host} (${host.machineId}), as clones of one image have`,
      hint: 'make it unique: rm /etc/machine-id && systemd-machine-id-setup, then reboot',
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** `94 s ahead of`, `1.5 s behind`. */
function seconds(offsetMs: number): string {
  const size = Math.abs(offsetMs) / 1000;
  const rounded = size < 10 ? Math.round(size * 10) / 10 : Math.round(size);
  return `${rounded} s ${offsetMs > 0 ? 'ahead of' : 'behind'}`;
}
