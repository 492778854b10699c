/** Inventory to Cluster: every default filled in. Pure, and total for what parseInventory gave. */
import { posix } from 'node:path';
import type { BinarySource, Cluster, HostPaths } from '../domain/cluster.ts';
import type { Controller, SubjectAltNames } from '../domain/controller.ts';
import { parseDuration } from '../domain/duration.ts';
import { findEndpoints, findSans, httpsUrl } from './endpoints.ts';
import type { Inventory } from './load.ts';
import { resolveSsh } from './resolve-ssh.ts';
import type { InventorySettings } from './schema.ts';
import type { ControllerSettings } from './schema-controllers.ts';

/** The whole desired state that an inventory describes. */
export function resolveCluster(inventory: Inventory): Cluster {
  const { settings, warnings } = inventory;
  const { cluster, service = {}, pki = {}, state = {} } = settings;
  const { access = 'tunnel', plaintextClients = false, ...etcd } = settings.etcd ?? {};
  const onOperator = pathResolver(inventory);
  const controllers = Object.entries(settings.controllers)
    .map(([name, controller]) => resolveController(name, controller, inventory))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const absent = Object.entries(settings.controllers)
    .flatMap(([name, { state: wanted }]) => (wanted === 'absent' ? [name] : []))
    .toSorted();
  return {
    name: cluster.name,
    version: cluster.version,
    controllers,
    ...(absent.length === 0 ? {} : { absent }),
    paths: resolvePaths(settings.paths),
    unit: service.unit ?? 'etcd.service',
    user: service.user ?? 'etcd',
    etcd,
    pki: {
      authorities: pki.authorities ?? 'separate',
      external: [...new Set(pki.external ?? [])].toSorted(),
      algorithm: pki.algorithm ?? 'ecdsa-p256',
      caLifetimeDays: pki.caLifetimeDays ?? 3650,
      leafLifetimeDays: pki.leafLifetimeDays ?? 365,
      backdateMinutes: pki.backdateMinutes ?? 5,
      renewBefore: resolveRenewBefore(pki.renewBefore),
      nameConstraints: pki.nameConstraints === true ? allSans(controllers) : undefined,
      organization: pki.organization ?? '',
      recipients: [...new Set(pki.recipients ?? [])].toSorted(),
      identityFile: pki.identityFile === undefined ? undefined : onOperator(pki.identityFile),
    },
    binaries: resolveBinaries(settings.binaries, onOperator),
    checksums: resolveChecksums(settings.binaries),
    access,
    ...(plaintextClients ? { plaintextClients } : {}),
    acceptHazards: [...new Set(settings.acceptHazards ?? [])].toSorted(),
    stateDir: onOperator(state.directory ?? `.quorate/${cluster.name}`),
    lockFile: onOperator(state.lockFile ?? 'quorate.lock.yml'),
    settingsText: canonicalText(settings),
    warnings,
  };
}

function resolvePaths(paths: Inventory['settings']['paths'] = {}): HostPaths {
  return {
    configDir: paths.configDir ?? '/etc/etcd',
    dataDir: paths.dataDir ?? '/var/lib/etcd',
    walDir: paths.walDir,
    libDir: paths.libDir ?? '/usr/local/lib/etcd',
    binDir: paths.binDir ?? '/usr/local/bin',
  };
}

/** Turns a path on the operator's machine into an absolute, normalised one: `~/` is the home, the rest starts at the inventory. */
function pathResolver({ directory, home }: Pick<Inventory, 'directory' | 'home'>): (path: string) => string {
  return (path) => posix.resolve(directory, path === '~' || path.startsWith('~/') ? `${home}${path.slice(1)}` : path);
}

function resolveController(name: string, controller: ControllerSettings, inventory: Inventory): Controller {
  const { listenAddresses = [], advertiseAddress = '', ...ports } = findEndpoints(controller, inventory.settings.ports);
  const endpoints = { listenAddresses, advertiseAddress, ...ports };
  return {
    name,
    transport: controller.transport ?? 'ssh',
    ssh: resolveSsh(controller, inventory.settings.ssh, pathResolver(inventory)),
    ...endpoints,
    clientUrl: httpsUrl(advertiseAddress, ports.clientPort),
    peerUrl: httpsUrl(advertiseAddress, ports.peerPort),
    sans: findSans(name, controller, endpoints),
  };
}

function resolveRenewBefore(text: string | undefined): Cluster['pki']['renewBefore'] {
  if (text === undefined) return { share: 1 / 3 };
  return text.endsWith('%')
    ? { share: Number(text.slice(0, -1)) / 100 }
    : { ms: parseDuration(text, 'pki.renewBefore') };
}

/** Every name and address that a certificate of this inventory may carry; localhost and loopback are among each controller's. */
function allSans(controllers: readonly Controller[]): SubjectAltNames {
  const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted();
  return {
    dns: distinct(controllers.flatMap((each) => each.sans.dns)),
    ip: distinct(controllers.flatMap((each) => each.sans.ip)),
  };
}

function resolveBinaries(binaries: InventorySettings['binaries'], onOperator: (path: string) => string): BinarySource {
  switch (binaries?.source) {
    case undefined:
      return { kind: 'release', via: 'operator' };
    case 'release':
      return { kind: 'release', via: binaries.via ?? 'operator' };
    case 'mirror':
      return { kind: 'mirror', url: binaries.url.replace(/\/+$/, ''), via: binaries.via ?? 'operator' };
    case 'file':
      return { kind: 'file', path: onOperator(binaries.path) };
    case 'system':
      return { kind: 'system', directory: binaries.directory ?? '/usr/bin' };
  }
}

function resolveChecksums(binaries: InventorySettings['binaries']): Cluster['checksums'] {
  if (binaries === undefined || binaries.source === 'system') return {};
  const { amd64, arm64, ppc64le, s390x } = binaries.sha256 ?? {};
  return {
    ...(amd64 === undefined ? {} : { amd64: amd64.toLowerCase() }),
    ...(arm64 === undefined ? {} : { arm64: arm64.toLowerCase() }),
    ...(ppc64le === undefined ? {} : { ppc64le: ppc64le.toLowerCase() }),
    ...(s390x === undefined ? {} : { s390x: s390x.toLowerCase() }),
  };
}

/** What the inventory says, variables filled in: comments, quotes and the order of keys do not count. */
function canonicalText(settings: InventorySettings): string {
  return JSON.stringify(settings, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : value,
  );
}
