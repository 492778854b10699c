/** What stands in the way of building a cluster on these hosts, and what is merely unwise: from facts alone. */
import { aheadOfMedian, CLOCK_REFUSE_MS, CLOCK_WARN_MS, wordOffset } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { Facts, HostFacts } from './facts.ts';
import { checkDisks } from './preflight-disk.ts';
import { checkFolders } from './preflight-folders.ts';
import { checkNetwork } from './preflight-network.ts';
import { checkSystem } from './preflight-system.ts';
import type { HostCheck, Problem } from './problem.ts';

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
  const offset = aheadOfMedian(host, hosts);
  const hint = 'synchronise the clocks of all hosts: systemctl enable --now systemd-timesyncd (or chrony)';
  const behindMs = -host.clockOffsetMs;
  if (Math.abs(offset) > CLOCK_REFUSE_MS) {
    const message = `${host.host}: clock is ${wordOffset(offset)} the median (limit ${CLOCK_REFUSE_MS / 1000} s)`;
    return [{ host: host.host, level: 'refuse', message, hint }];
  }
  if (behindMs > cluster.pki.backdateMinutes * 60_000) {
    const limit = `certificates are dated back by ${cluster.pki.backdateMinutes} min`;
    const message = `${host.host}: clock is ${wordOffset(-behindMs)} this machine: certificates made now would not be valid there yet (${limit})`;
    return [{ host: host.host, level: 'refuse', message, hint }];
  }
  if (Math.abs(offset) <= CLOCK_WARN_MS) return [];
  const message = `${host.host}: clock is ${wordOffset(offset)} the median (more than ${CLOCK_WARN_MS / 1000} s)`;
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
