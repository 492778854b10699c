/** What the certificates of running members say that an inventory must keep: further names, and whether one authority signs for all. Pure. */
import { canonicalAddress, isDnsName, isLoopback, parseIp } from '../inventory/address.ts';
import { splitPem, tryParse } from '../pki/inspect.ts';
import type { FoundHost } from './found.ts';
import type { TlsKind } from './member.ts';

interface Reading {
  /** `sans:` of a controller; nothing where its certificates carry no further name. */
  sans(endpoints: object, name: string): { readonly sans?: readonly string[] };
  /** `pki.authorities` */
  kind(tls: { readonly client: TlsKind; readonly peer: TlsKind }): 'single' | 'separate';
}

/** Readings of the certificates of one host among its cluster's. */
export function certificatesOf(host: FoundHost | undefined, hosts: readonly FoundHost[]): Reading {
  return {
    sans: (endpoints, name) => {
      if (host === undefined) return {};
      const others = new Set(hosts.filter((each) => each !== host).flatMap(ownNames));
      const known = [name, host.address, ...textsIn(endpoints)].map(canonicalAddress);
      const further = namesIn(host).filter(
        (each) => !isLoopback(each) && !known.includes(each) && !others.has(each) && isUsable(each),
      );
      return further.length === 0 ? {} : { sans: [...new Set(further)].sort() };
    },
    kind: (tls) => {
      if (host === undefined || tls.client !== 'mutual' || tls.peer !== 'mutual') return 'separate';
      const { client, peer } = host.member.settings;
      const [first, second] = [client, peer].map((each) => authorityOf(host, each.trustedCaFile));
      return first !== undefined && first === second ? 'single' : 'separate';
    },
  };
}

/** SANs of what the member serves on both ports. */
function namesIn({ member: { settings }, details }: FoundHost): readonly string[] {
  return [settings.client.certFile, settings.peer.certFile].flatMap((path) => {
    const [leaf] = splitPem(details.certificates[path] ?? '');
    const sans = tryParse(leaf ?? '')?.facts.sans;
    return [...(sans?.dns ?? []), ...(sans?.ip ?? [])].map(canonicalAddress);
  });
}

/** What another host is known by: kubespray writes every host into every certificate. */
function ownNames({ address, member, survey }: FoundHost): readonly string[] {
  const urls = [...member.advertisePeer, ...member.advertiseClient].map((each) => each.host);
  return [address, member.name, survey.hostname, ...survey.addresses, ...urls].map(canonicalAddress);
}

function authorityOf({ details }: FoundHost, path: string): string | undefined {
  const [first] = splitPem(details.certificates[path] ?? '');
  return tryParse(first ?? '')?.facts.sha256;
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function isUsable(name: string): boolean {
  const plain = name.startsWith('*.') ? name.slice(2) : name;
  return parseIp(plain)?.kind === 'ordinary' || (parseIp(plain) === undefined && isDnsName(plain));
}
