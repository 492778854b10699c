/** Proofs of certificates as a run needs them: one probe certificate serves several. */
import { proveCertificates } from '../apply/prove-certificates.ts';
import type { Cluster } from '../domain/cluster.ts';
import { bundleOf, peerTrust } from '../domain/pki-view.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { PkiContext } from '../pki/context.ts';
import { issueProbe, PROBE_LIFETIME_MINUTES } from '../pki/probe.ts';
import type { View } from '../plan/view.ts';
import type { Connection } from '../transport/transport.ts';
import { strangerCertificate } from './stranger.ts';

interface Input {
  readonly cluster: Cluster;
  readonly connections: ReadonlyMap<string, Connection>;
  context(): Promise<PkiContext>;
  credentialsIfAny(): Promise<TlsMaterial | undefined>;
  now(): number;
}

export interface ProofWish {
  readonly members: readonly string[];
  readonly view: View;
  readonly signal: AbortSignal;
  /** Whether it is proved too that strangers are refused. */
  readonly refusals: boolean;
}

/** A certificate is used for half of its life, so that none expires in the middle of a proof. */
const REUSE_MS = (PROBE_LIFETIME_MINUTES * 60_000) / 2;

/** Proves by the operator's certificate and one of the peer authority in force. */
export function certificateProofs(input: Input): (wish: ProofWish) => Promise<void> {
  const { cluster, connections, now } = input;
  let made: { readonly probe: TlsMaterial | undefined; readonly authority: string; readonly at: number } | undefined;
  const probeFor = async ({ pki }: View): Promise<TlsMaterial | undefined> => {
    const authority = JSON.stringify(pki.authorities.map(({ id, status }) => [id, status]));
    if (made === undefined || made.authority !== authority || now() - made.at > REUSE_MS) {
      const probe = await issueProbe(await input.context(), 'proof that members accept their peer authority');
      made = { probe: probe === undefined ? undefined : { ca: '', ...probe }, authority, at: now() };
    }
    return made.probe;
  };
  return async ({ members, view, signal, refusals }) => {
    const tls = await input.credentialsIfAny();
    if (tls === undefined) throw new Error('the cluster has no certificate for its operator yet');
    const probe = await probeFor(view);
    const stranger = refusals ? await strangerCertificate(cluster, now()) : undefined;
    const { facts } = view;
    const peers = view.pki.authorities.filter((each) => each.purpose !== 'client');
    const bundles = [...peers.map((each) => bundleOf([each])), peerTrust(view.pki)];
    const shared = { cluster, connections, tls, facts, signal };
    await proveCertificates({ ...shared, members, probe, stranger, bundles, now: now() });
  };
}
