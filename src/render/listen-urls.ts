/** The URLs that a member binds. */
import type { Controller } from '../domain/controller.ts';
import { isPlaintext } from '../domain/plaintext.ts';

/** Comma-separated URL lists, as etcd's configuration has them. */
export interface ListenUrls {
  /** By the scheme of the member's peer URL. */
  readonly peer: string;
  /** The listen addresses and loopback; each with http before https where plaintext is served too: etcd 3.5 and later serve both on one port. */
  readonly client: string;
  /** Plain http, loopback only: health and metrics need no certificate there. */
  readonly metrics: string;
  /** One URL of the member's own for etcdctl on the host. */
  readonly local: string;
}

/**
 * The URLs of one member. `::` covers every address of both families and `0.0.0.0` every IPv4 one (Go binds `[::]` for
 * both), so whatever they cover is left out: a port can be bound once. The loopback of IPv6 is bound only where an IPv6
 * address is, since a host may have IPv6 switched off.
 */
export function listenUrls(controller: Controller, plaintextClients = false): ListenUrls {
  const { clientPort, formerClientPort, metricsPort, peerPort } = controller;
  const addresses = narrowed(controller.listenAddresses);
  const loopbacks = addresses.some(isIpv6) ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  const clientPorts = [clientPort, ...(formerClientPort === undefined ? [] : [formerClientPort])];
  const clientSchemes = plaintextClients ? ['http', 'https'] : ['https'];
  const peerSchemes = [isPlaintext(controller.peerUrl) ? 'http' : 'https'];
  const urls = (schemes: readonly string[], all: readonly string[], port: number): string =>
    all.flatMap((each) => schemes.map((scheme) => url(scheme, each, port))).join(',');
  return {
    peer: urls(peerSchemes, addresses, peerPort),
    client: clientPorts.map((port) => urls(clientSchemes, narrowed([...addresses, ...loopbacks]), port)).join(','),
    metrics: url('http', '127.0.0.1', metricsPort),
    local: url('https', '127.0.0.1', clientPort),
  };
}

function narrowed(addresses: readonly string[]): readonly string[] {
  const distinct = [...new Set(addresses)];
  if (distinct.includes('::')) return ['::'];
  if (!distinct.includes('0.0.0.0')) return distinct;
  return distinct.filter((each) => each === '0.0.0.0' || isIpv6(each));
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

function url(scheme: string, address: string, port: number): string {
  return `${scheme}://${isIpv6(address) ? `[${address}]` : address}:${port}`;
}
