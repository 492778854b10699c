/** What a leaf certificate is to look like: the one description that issuing follows and drift is judged by. Pure. */
import type { KeyAlgorithm, PkiPolicy } from '../domain/cluster.ts';
import type { SubjectAltNames } from '../domain/controller.ts';
import type { LeafPurpose } from '../domain/step.ts';

export interface LeafProfile {
  /** etcd's client port, its peer port, or a client of etcd. */
  readonly purpose: LeafPurpose;
  /** An etcd user's name once RBAC is on (clients). */
  readonly commonName: string;
  /** Empty for none. */
  readonly organization: string;
  readonly sans: SubjectAltNames;
  readonly algorithm: KeyAlgorithm;
  /** Signed by an authority elsewhere, which may say more in a subject and give more names: etcd reads neither. */
  readonly elsewhere?: boolean;
}

type LeafPolicy = Pick<PkiPolicy, 'organization' | 'algorithm'> & Partial<Pick<PkiPolicy, 'external'>>;

const noSans: SubjectAltNames = { dns: [], ip: [] };

/** A member's certificate. Server and peer: CN is the member's name, SANs are its own. Client (health, etcdctl on the host): CN `quorate-NAME`, no SANs. */
export function memberProfile(
  purpose: LeafPurpose,
  member: { readonly name: string; readonly sans: SubjectAltNames },
  policy: LeafPolicy,
): LeafProfile {
  const { organization, algorithm } = policy;
  if (purpose === 'client') return clientProfile(`quorate-${member.name}`, policy);
  const elsewhere = signedElsewhere(purpose, policy);
  return { purpose, commonName: member.name, organization, sans: member.sans, algorithm, elsewhere };
}

/** Whether the policy wants certificates for this purpose signed by an authority whose key is elsewhere. */
export function signedElsewhere(
  purpose: LeafPurpose,
  { external = [] }: Partial<Pick<PkiPolicy, 'external'>>,
): boolean {
  return external.includes(purpose === 'peer' ? 'peer' : 'client') || external.includes('both');
}

/** The operator's own certificate: CN `root`, which is etcd's superuser. */
export function adminProfile(policy: LeafPolicy): LeafProfile {
  return clientProfile('root', policy);
}

/** Which extended key usages a purpose needs: etcd's gateway dials itself with the server's certificate, and peers dial each other (etcd issue 9785). */
export function extendedKeyUsages(purpose: LeafPurpose): readonly ('serverAuth' | 'clientAuth')[] {
  return purpose === 'client' ? ['clientAuth'] : ['serverAuth', 'clientAuth'];
}

function clientProfile(commonName: string, policy: LeafPolicy): LeafProfile {
  const { organization, algorithm } = policy;
  const elsewhere = signedElsewhere('client', policy);
  return { purpose: 'client', commonName, organization, sans: noSans, algorithm, elsewhere };
}
