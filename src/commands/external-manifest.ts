/** What stands beside signing requests: for the people and tools that sign them, and for tools that read. Pure. */
import type { PkiPolicy } from '../domain/cluster.ts';
import { canonicalSans } from '../pki/addresses.ts';
import { extendedKeyUsages, type LeafProfile } from '../pki/profile.ts';

/** One request of a folder. */
export interface ManifestRequest {
  /** `etcd-1.server`: the names of its files, without their ends. */
  readonly name: string;
  /** A controller, or `operator`. */
  readonly holder: string;
  readonly authority: 'client' | 'peer' | 'both';
  readonly profile: LeafProfile;
  readonly pem: string;
}

/** The files of a folder of requests, by name. */
export function manifestFiles(
  cluster: { readonly name: string; readonly pki: PkiPolicy },
  requests: readonly ManifestRequest[],
): Readonly<Record<string, string>> {
  const own = requests.flatMap((each) => [
    [`${each.name}.csr`, each.pem],
    [`${each.name}.ext`, extensionFile(each.profile)],
  ]);
  const wanted = requests.map((each) => wantedOf(each, cluster.pki));
  const json = { cluster: cluster.name, leafLifetimeDays: cluster.pki.leafLifetimeDays, requests: wanted };
  return {
    ...Object.fromEntries(own),
    'manifest.json': `${JSON.stringify(json, undefined, 2)}\n`,
    'MANIFEST.txt': manifestText(cluster, requests),
  };
}

function wantedOf({ name, holder, authority, profile }: ManifestRequest, { leafLifetimeDays }: PkiPolicy) {
  const { dns, ip } = canonicalSans(profile.sans);
  return {
    request: `${name}.csr`,
    holder,
    purpose: profile.purpose,
    authority,
    commonName: profile.commonName,
    organization: profile.organization,
    dns,
    ip,
    keyUsage: usagesOf(profile),
    extendedKeyUsage: extendedKeyUsages(profile.purpose),
    lifetimeDays: leafLifetimeDays,
  };
}

function usagesOf({ algorithm }: LeafProfile): readonly string[] {
  return algorithm.startsWith('rsa-') ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
}

/** For `openssl x509 -req -extfile`: what a certificate must carry, key identifiers included, which openssl 3.0 leaves out by itself. */
function extensionFile(profile: LeafProfile): string {
  const { dns, ip } = canonicalSans(profile.sans);
  const names = [...dns.map((each) => `DNS:${each}`), ...ip.map((each) => `IP:${each}`)];
  return [
    'basicConstraints=critical,CA:FALSE',
    `keyUsage=critical,${usagesOf(profile).join(',')}`,
    `extendedKeyUsage=${extendedKeyUsages(profile.purpose).join(',')}`,
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    ...(names.length === 0 ? [] : [`subjectAltName=${names.join(',')}`]),
    '',
  ].join('\n');
}

function manifestText(
  { name, pki }: { readonly name: string; readonly pki: PkiPolicy },
  requests: readonly ManifestRequest[],
): string {
  const days = pki.leafLifetimeDays;
  return `Signing requests of the etcd cluster ${name}, made by quorate.

Every .csr is to be signed for ${days} days (less is fine), each with exactly these names and usages. The private keys stay on the members.

${requests.map(requestText).join('\n')}
Whatever signs may add attributes to a subject, and names; it must keep the common name, every name below, the usages, and name the key of its
authority (authorityKeyIdentifier). Requests marked "client" are signed by one authority, requests marked "peer" by another one: with one for both, any
client certificate would open the peer port.

Examples, for each NAME.csr:

  openssl x509 -req -in NAME.csr -CA ca.crt -CAkey ca.key -set_serial 0x$(openssl rand -hex 16) -days ${days} -sha256 -extfile NAME.ext -out NAME.crt
  vault write -field=certificate pki/sign/ROLE csr=@NAME.csr ttl=${days * 24}h >NAME.crt
      (a role with server_flag and client_flag, use_csr_sans and use_csr_common_name, allow_any_name, allow_ip_sans)
  step ca sign NAME.csr NAME.crt --not-after ${days * 24}h
      (a provisioner whose template gives both usages: serverAuth, clientAuth)

Then put the certificates, and that of every authority from the one that signed up to its root, into one folder (file names do not matter), and:

  quorate certs ca external install -i FILE --from DIR
`;
}

function requestText({ name, authority, profile }: ManifestRequest): string {
  const { dns, ip } = canonicalSans(profile.sans);
  const names = [...dns, ...ip];
  return `${name}.csr (${authority})
  subject  ${profile.organization === '' ? '' : `O=${profile.organization}, `}CN=${profile.commonName}
  names    ${names.length === 0 ? 'none' : names.join(', ')}
  usages   ${[...usagesOf(profile), ...extendedKeyUsages(profile.purpose)].join(', ')}
`;
}
