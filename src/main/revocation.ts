/** Revoking with the operator's identity, and what ports are shown to prove it. */
import type { RevocationTest } from '../apply/prove-revocation.ts';
import type { Cluster } from '../domain/cluster.ts';
import type { SubjectAltNames } from '../domain/controller.ts';
import type { Use } from '../domain/pki-view.ts';
import { openProof } from '../pki/canary.ts';
import type { PkiContext } from '../pki/context.ts';

/** A peer port looks whether a peer comes from an address that its certificate names: through the SSH connection that is the member's own. */
export function proofNames(cluster: Cluster): SubjectAltNames {
  const addresses = cluster.controllers.flatMap(({ sans }) => sans.ip);
  return { dns: ['localhost'], ip: [...new Set(['127.0.0.1', '::1', ...addresses])] };
}

/** For each use a certificate that its port must refuse, and one that it must accept. */
export function revocationTests(
  context: PkiContext,
  uses: readonly Use[],
  cluster: Cluster,
): Promise<readonly RevocationTest[]> {
  return Promise.all(
    uses.map(async (use) => {
      const { refused, accepted } = await openProof(context, use, proofNames(cluster));
      // Whom the port is, other proofs show; here it judges.
      const material = ({ certificate, key }: typeof refused) => ({ ca: '', cert: certificate, key });
      return { use, refused: material(refused), accepted: material(accepted) };
    }),
  );
}
