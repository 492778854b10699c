/** Proves that ports obey their revocation list: of two certificates that only the list tells apart, one is accepted and the other refused. */
import { type Controller, dialledClientPort } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { Use } from '../domain/pki-view.ts';
import { type Judgement, type ProofTarget, presentCertificate } from '../etcd/prove.ts';
import { clientStream, peerStream } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import type { ProofContext } from './await-cluster.ts';

/** Certificates of the authority that the port trusts. */
export interface RevocationTest {
  readonly use: Use;
  readonly refused: TlsMaterial;
  readonly accepted: TlsMaterial;
}

const PROOF_TIMEOUT_MS = 10_000;

/**
 * Makes a request with each certificate on each member's port, over connections opened now.
 * @throws QuorateError step-failed with every member that does not refuse, or refuses everybody
 */
export async function proveRevocation(
  context: Pick<ProofContext, 'cluster' | 'connections' | 'signal'>,
  members: readonly string[],
  tests: readonly RevocationTest[],
): Promise<void> {
  const controllers = context.cluster.controllers.filter(({ name }) => members.includes(name));
  const proofs = controllers.flatMap((controller) => tests.map((test) => provePort(context, controller, test)));
  const errors = (await Promise.allSettled(proofs)).flatMap((each) => {
    if (each.status === 'fulfilled') return [];
    if (each.reason instanceof QuorateError) return [each.reason];
    throw each.reason;
  });
  if (errors.length > 0) throw combineErrors(`revocation is not in force on ${errors.length} ports`, errors);
}

async function provePort(
  { cluster, connections, signal }: Pick<ProofContext, 'cluster' | 'connections' | 'signal'>,
  controller: Controller,
  { use, refused, accepted }: RevocationTest,
): Promise<void> {
  const { name: host, peerPort } = controller;
  const stream = (use === 'client' ? clientStream : peerStream)(cluster, controller, connections.get(host));
  const target: ProofTarget = { host, stream, timeoutMs: PROOF_TIMEOUT_MS, signal };
  const port = use === 'client' ? dialledClientPort(controller) : peerPort;
  const good = await presentCertificate(target, accepted);
  if (!good.accepted) throw lockedOut(host, port, good);
  const bad = await presentCertificate(target, refused);
  if (bad.accepted || (bad.alert === undefined && !bad.closed)) throw stillGood(host, port, bad);
  // It ends the connection without a word: that it is the list, and no port that died, is seen by the one that it goes on to accept.
  const after = await presentCertificate(target, accepted);
  if (!after.accepted) throw lockedOut(host, port, after);
}

function lockedOut(host: string, port: number, { alert, detail }: Judgement): QuorateError {
  return new QuorateError(
    'step-failed',
    `${host}: port ${port} refuses a certificate that is not revoked (${alert ?? detail})`,
    {
      host,
      hint: 'a list that etcd cannot read keeps everybody out: look at journalctl -u etcd on that host',
    },
  );
}

function stillGood(host: string, port: number, { accepted, detail }: Judgement): QuorateError {
  const what = accepted
    ? 'accepts a revoked certificate'
    : `did not show that it refuses a revoked certificate (${detail})`;
  return new QuorateError('step-failed', `${host}: port ${port} ${what}`, {
    host,
    hint: 'until it does, only short lifetimes, RBAC (etcdctl user revoke-role) and certs rotate-ca take rights away',
  });
}
