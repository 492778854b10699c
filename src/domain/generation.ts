/** Generations of keys and certificates on a host: their numbers, read from the host itself, and what may be wanted of one. */
import type { Cluster } from './cluster.ts';
import type { HostFacts } from './facts.ts';
import { pkiLink } from './layout.ts';
import { type PkiView, trustedAuthorities, type Use } from './pki-view.ts';
import type { LeafPurpose, TrustWish } from './step.ts';

/** The number of the generation that the host's link points to; 0 without such a link. */
export function currentGeneration(cluster: Cluster, host: Pick<HostFacts, 'files'> | undefined): number {
  const link = host?.files[pkiLink(cluster)];
  const [, number] = link?.kind === 'link' ? (/^pki\.d\/([1-9]\d{0,8})$/.exec(link.target) ?? []) : [];
  return Number(number ?? 0);
}

/** Where all generations of a host stand. */
export function generationsFolder(cluster: Cluster): string {
  return `${cluster.paths.configDir}/pki.d`;
}

/** Where keys for signing requests stand, seen from a generation's folder. */
export function requestsBeside(directory: string): string {
  return `${directory.slice(0, directory.lastIndexOf('/'))}/requested`;
}

/** Paths of the generations on a host, whatever their state, in the order of their numbers. */
export function generationsOn(cluster: Cluster, host: Pick<HostFacts, 'files'>): readonly string[] {
  const folder = `${generationsFolder(cluster)}/`;
  return Object.entries(host.files)
    .filter(([path, fact]) => fact.kind !== 'absent' && path.startsWith(folder))
    .map(([path]) => path.slice(folder.length))
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => `${folder}${name}`);
}

/** What the store wants both bundles to hold. */
export function trustWish(pki: PkiView): TrustWish {
  const ids = (use: Use): readonly string[] => trustedAuthorities(pki, use).map((each) => each.id);
  return { client: ids('client'), peer: ids('peer') };
}

/** Mode and owner of a private key on a host: `client.key` is for people in the group, who use etcdctl there. */
export function keyOwnership(
  purpose: LeafPurpose,
  user: string,
): { readonly mode: string; readonly owner: string; readonly group: string } {
  if (purpose === 'client') return { mode: '0640', owner: 'root', group: user };
  return { mode: '0600', owner: user, group: user };
}
