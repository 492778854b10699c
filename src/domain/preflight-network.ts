/** Whether a host's addresses and ports are free for a member, and whether another etcd runs there. */
import type { Controller } from './controller.ts';
import type { EtcdProcess, HostFacts, Listener } from './facts.ts';
import type { HostCheck, Problem } from './problem.ts';

/** Foreign etcd processes, ports that others hold, addresses that the host does not have. */
export function checkNetwork(check: HostCheck): readonly Problem[] {
  return [...checkProcesses(check), ...checkPorts(check), ...checkAddresses(check)];
}

function checkProcesses(check: HostCheck): readonly Problem[] {
  const { cluster, host } = check;
  const packaged = host.processes.some((each) => !isOurs(each, host, cluster.unit) && isPackaged(each, host));
  const strangers = host.processes
    .filter((each) => !isOurs(each, host, cluster.unit) && !isPackaged(each, host))
    .map((each) => {
      const unit = each.unit === '' ? '' : ` in ${each.unit}`;
      return {
        host: host.host,
        level: 'refuse' as const,
        message: `${host.host}: another etcd runs there: ${each.executable || 'etcd'} (pid ${each.pid})${unit}`,
        hint: 'look whose data it holds before you stop it; quorate never takes over a cluster that it did not make',
      };
    });
  return packaged ? [...strangers, ...checkPackaged(host)] : strangers;
}

/** An etcd as its package left it serves nobody: only that is stopped. */
function checkPackaged({ host, ignoredDefaults, packageData }: HostFacts): readonly Problem[] {
  const used = packageData.map((path) => ({
    host,
    level: 'refuse' as const,
    message: `${host}: the distribution's etcd runs there and holds keys in ${path}: somebody uses it`,
    hint: `look at them (ETCDCTL_API=3 etcdctl get --prefix --keys-only ''); when they are not needed: systemctl stop etcd && mv ${path} /var/lib/etcd-unused`,
  }));
  const configured = ignoredDefaults.map((path) => ({
    host,
    level: 'refuse' as const,
    message: `${host}: the distribution's etcd runs there with settings of its own in ${path}: somebody set it up`,
    hint: `look what it is for; when it is not needed: systemctl stop etcd && mv ${path} ${path}.unused`,
  }));
  return [...used, ...configured];
}

/** A process of the unit is ours only where quorate has left its notes: someone else's unit may have the same name. */
function isOurs(process: EtcdProcess, host: HostFacts, unit: string): boolean {
  const { attempt, starting, marker } = host.records;
  return process.unit === unit && (attempt ?? starting ?? marker) !== undefined;
}

/** A distribution's own etcd, which starts itself at installation: the plan stops it and puts its package on hold. */
function isPackaged(process: EtcdProcess, host: HostFacts): boolean {
  return host.packages.length > 0 && process.executable === '/usr/bin/etcd' && process.unit === 'etcd.service';
}

function checkPorts({ cluster, controller, host }: HostCheck): readonly Problem[] {
  const running = host.unit.activeState === 'active' || host.unit.activeState === 'activating';
  const told = new Set(host.processes.map((each) => each.pid));
  const taken = host.listeners.filter(
    (each) =>
      wantedAddresses(controller, each.port).some((wanted) => clashes(each.address, wanted)) &&
      !told.has(each.pid) &&
      (each.pid === 0 ? !running : each.pid !== host.unit.mainPid),
  );
  const first = new Map(taken.map((each) => [each.port, each]));
  return [...first.values()].map((each) => ({
    host: host.host,
    level: 'refuse' as const,
    message: `${host.host}: port ${each.port} is taken by ${takenBy(each)}`,
    hint: `stop it, or give this controller another port; who it is: ss -ltnp 'sport = :${each.port}' (${cluster.unit} needs it)`,
  }));
}

function takenBy({ process, pid, address }: Listener): string {
  return pid === 0 ? `another process, on ${address}` : `${process} (pid ${pid}), on ${address}`;
}

function wantedAddresses(controller: Controller, port: number): readonly string[] {
  const loopback = ['127.0.0.1', '::1'];
  if (port === controller.clientPort || port === controller.formerClientPort)
    return [...controller.listenAddresses, ...loopback];
  if (port === controller.peerPort) return controller.listenAddresses;
  return port === controller.metricsPort ? loopback : [];
}

function clashes(taken: string, wanted: string): boolean {
  const any = (address: string) => address === '0.0.0.0' || address === '::';
  return any(taken) || any(wanted) || canonical(taken) === canonical(wanted);
}

function checkAddresses({ controller, host }: HostCheck): readonly Problem[] {
  if (host.addresses.length === 0) return [];
  const own = new Set(host.addresses.map(canonical));
  const absent = (address: string) => isBindable(address) && !own.has(canonical(address));
  const list = `its own are ${host.addresses.join(', ')}`;
  const unbindable = controller.listenAddresses.filter(absent).map((address) => ({
    host: host.host,
    level: 'refuse' as const,
    message: `${host.host}: etcd is to listen on ${address}, which the host does not have (${list})`,
    hint: "set this controller's private address to one of its own",
  }));
  if (unbindable.length > 0 || !absent(controller.advertiseAddress)) return unbindable;
  return [
    {
      host: host.host,
      level: 'warn',
      message: `${host.host}: ${controller.advertiseAddress} is advertised, and the host does not have it (${list})`,
      hint: 'right only where something forwards that address to the host',
    },
  ];
}

/** Whether an interface must carry it: not so for DNS names, wildcards and loopback. */
function isBindable(address: string): boolean {
  if (address === '0.0.0.0' || address === '::' || address === '::1') return false;
  return /^[\d.]+$/.test(address) ? !address.startsWith('127.') : address.includes(':');
}

/** One spelling of an IPv6 address; everything else as it is. */
function canonical(address: string): string {
  if (!address.includes(':')) return address;
  return URL.canParse(`http://[${address}]/`) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}
