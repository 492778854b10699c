/** Where a member listens, what it calls itself, and which names its certificates carry. */
import type { SubjectAltNames } from '../domain/controller.ts';
import { canonicalAddress, isLoopback, parseIp } from './address.ts';
import type { ControllerSettings, PortSettings } from './schema-controllers.ts';

export interface Endpoints {
  /** Without loopback; empty only for a single member that is all on loopback. */
  readonly listenAddresses: readonly string[];
  readonly advertiseAddress: string;
  readonly clientPort: number;
  readonly formerClientPort?: number;
  readonly peerPort: number;
  readonly metricsPort: number;
}

/** The endpoints with all defaults; undefined addresses mean that the settings do not say them (see endpoint-rules.ts). */
export function findEndpoints(
  controller: ControllerSettings,
  ports: PortSettings | undefined,
): Partial<Endpoints> & Ports {
  const { address } = controller;
  const own = controller.privateAddress ?? (parseIp(address ?? '') === undefined ? undefined : address);
  const listen = controller.listenAddresses ?? (own === undefined ? undefined : [own]);
  const former = controller.ports?.formerClient ?? ports?.formerClient;
  const advertise = controller.advertiseAddress ?? controller.privateAddress ?? address;
  return {
    ...(listen === undefined ? {} : { listenAddresses: distinct(listen.filter((each) => !isLoopback(each))) }),
    ...(advertise === undefined ? {} : { advertiseAddress: canonicalAddress(advertise) }),
    clientPort: controller.ports?.client ?? ports?.client ?? 2379,
    ...(former === undefined ? {} : { formerClientPort: former }),
    peerPort: controller.ports?.peer ?? ports?.peer ?? 2380,
    metricsPort: controller.ports?.metrics ?? ports?.metrics ?? 2381,
  };
}

type Ports = Pick<Endpoints, 'clientPort' | 'formerClientPort' | 'peerPort' | 'metricsPort'>;

/** Every name and address that a client or peer may know the member by. */
export function findSans(
  name: string,
  controller: ControllerSettings,
  { listenAddresses, advertiseAddress }: Endpoints,
): SubjectAltNames {
  const all = [
    ...[name, 'localhost', '127.0.0.1', '::1', advertiseAddress],
    ...[controller.address ?? [], controller.privateAddress ?? [], controller.sans ?? []].flat(),
    ...listenAddresses.filter((each) => parseIp(each)?.kind !== 'unspecified'),
  ];
  const names = distinct(all);
  return {
    dns: names.filter((each) => parseIp(each) === undefined).toSorted(),
    ip: names.filter((each) => parseIp(each) !== undefined).toSorted(),
  };
}

/** `https://HOST:PORT`, IPv6 in brackets (RFC 3986, 3.2.2). */
export function httpsUrl(address: string, port: number): string {
  return `https://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function distinct(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map(canonicalAddress))];
}
