/** Proves what members serve, accept and trust: the files behind each link, seen from new connections and from what runs. */
import type { Controller } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { memberList } from '../domain/health.ts';
import { pkiLink } from '../domain/layout.ts';
import { entryOf } from '../domain/membership.ts';
import { isPlaintext } from '../domain/plaintext.ts';
import { counted } from '../domain/plural.ts';
import { connectEtcd } from '../etcd/client.ts';
import { presentCertificate } from '../etcd/prove.ts';
import { identitiesOf } from '../etcd/reach.ts';
import type { TlsMaterial } from '../etcd/secure.ts';
import { parseChain } from '../pki/chain.ts';
import { parseCertificate, splitPem } from '../pki/inspect.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import { runningBundle } from '../plan/running-trust.ts';
import { failed, type PortProof, PROOF_TIMEOUT_MS, portTarget, proveRefusals, proveServed } from './prove-port.ts';

export interface CertificateProof extends PortProof {
  readonly members: readonly string[];
  /** A certificate of the active peer authority, for a few minutes; undefined where nobody here can sign one: whom peer ports take is not asked then. */
  readonly probe: TlsMaterial | undefined;
  /** A certificate of an authority that nobody knows; undefined: who is refused is not asked. */
  readonly stranger: TlsMaterial | undefined;
  /** Bundles that a process may run with though they lie on no host any more: each peer authority of the store alone, and all that are trusted. */
  readonly bundles: readonly string[];
  /** Epoch milliseconds. */
  readonly now: number;
}

type LinkProof = Pick<CertificateProof, 'cluster' | 'facts' | 'members' | 'bundles' | 'now'>;

/**
 * For each of `members`: both ports (its peer port once it is dialled with TLS) serve the certificates behind the link, an RPC with the operator's certificate returns, a request with a
 * certificate of the peer authority is answered on the peer port, strangers are refused, and it and every other member can link both ways.
 * @throws QuorateError step-failed, every proof that failed, with member, port and cause
 */
export async function proveCertificates(input: CertificateProof): Promise<void> {
  const controllers = input.cluster.controllers.filter(({ name }) => input.members.includes(name));
  const { stranger } = input;
  const settled = await Promise.allSettled([
    ...controllers.flatMap((each) => [
      proveServed(each, 'client', input),
      proveCall(each, input),
      ...(stranger === undefined ? [] : [proveRefusals(each, 'client', { ...input, stranger })]),
    ]),
    ...controllers
      .filter((each) => isDialledSecurely(each, input))
      .flatMap((each) => [
        proveServed(each, 'peer', input),
        provePeerRequest(each, input),
        ...(stranger === undefined ? [] : [proveRefusals(each, 'peer', { ...input, stranger })]),
      ]),
  ]);
  const errors = settled.flatMap((each) => {
    if (each.status === 'fulfilled') return [];
    if (each.reason instanceof QuorateError) return [each.reason];
    throw each.reason;
  });
  const all = [...errors, ...linkFailures(input.cluster.controllers, input)];
  input.signal.throwIfAborted();
  if (all.length > 0) throw combineErrors(`${counted(all.length, 'proof')} failed`, all);
}

/** On its way from plaintext to TLS, a member has its certificates before its peer port serves them: there is TLS once the list says so. */
function isDialledSecurely(controller: Controller, { facts }: CertificateProof): boolean {
  const entry = entryOf(facts, memberList(facts), controller);
  return entry === undefined || !entry.peerUrls.every(isPlaintext);
}

async function proveCall(controller: Controller, input: CertificateProof): Promise<void> {
  const { tls, signal, cluster } = input;
  const { host, stream } = portTarget(controller, 'client', input);
  const identities = identitiesOf(cluster, controller);
  try {
    const client = await connectEtcd({ host, stream, tls, identities, timeoutMs: PROOF_TIMEOUT_MS, signal });
    await client.status().finally(() => client.close());
  } catch (cause) {
    if (!(cause instanceof QuorateError) || cause.code === 'interrupted') throw cause;
    throw failed(controller, 'client', `does not answer a call with the operator's certificate: ${cause.message}`, {
      cause,
    });
  }
}

async function provePeerRequest(controller: Controller, input: CertificateProof): Promise<void> {
  if (input.probe === undefined) return;
  const judged = await presentCertificate(portTarget(controller, 'peer', input), { ...input.probe, ca: '' });
  if (judged.accepted && judged.detail.startsWith('HTTP/1.1 200')) return;
  const what = judged.accepted ? judged.detail : (judged.alert ?? judged.detail);
  throw failed(controller, 'peer', `does not answer a certificate of the peer authority that signs: ${what}`);
}

/** Every pair with one of `members` in it: what one's process trusts, as far as it told, must verify what the other's peer port serves. */
export function linkFailures(controllers: readonly Controller[], input: LinkProof): readonly QuorateError[] {
  return controllers.flatMap((from) =>
    controllers
      .filter((to) => to !== from && [from.name, to.name].some((name) => input.members.includes(name)))
      .flatMap((to) => linkFailure(from, to, input) ?? []),
  );
}

function linkFailure(from: Controller, to: Controller, input: LinkProof): QuorateError | undefined {
  const [trusting, serving] = [input.facts.hosts[from.name], input.facts.hosts[to.name]];
  // A member that is not there has no links to lose; whether it may be missing is the guard's to say.
  if (trusting === undefined || serving === undefined || !runs(trusting) || !runs(serving)) return undefined;
  // One that was not started by quorate's unit, as on an adopted cluster before its turn, has told nobody whom it trusts.
  if (trusting.run === undefined && !input.members.includes(from.name)) return undefined;
  const bundle = runningPeerTrust(trusting, input);
  const chain = serving.certificates[`${pkiLink(input.cluster)}/peer.crt`];
  if (bundle === undefined) {
    const what = 'runs with a trust bundle for peers that is on no host any more, so that nothing tells whom it trusts';
    return failed(from, 'peer', what, { hint: 'restart it in its turn, so that it notes what it starts with' });
  }
  // What has ended or is missing with another member is not what these have done: their turn would never end well.
  const judged = input.members.includes(to.name);
  if (chain === undefined) return judged ? failed(to, 'peer', 'has no certificate behind its link') : undefined;
  const trusted = splitPem(bundle).map((pem) => parseCertificate(pem));
  const found = verifyChain(parseChain(chain, `${to.name}: peer.crt`), trusted, input.now).reasons;
  const reasons = judged ? found : found.filter((each) => each.kind !== 'dates');
  if (reasons.length === 0) return undefined;
  const why = reasons.map((each) => each.text).join(', ');
  return failed(to, 'peer', `serves a certificate that ${from.name}, as it runs, does not trust: ${why}`);
}

function runs({ unit }: HostFacts): boolean {
  return unit.activeState === 'active';
}

/** The bundle that a process was started with: known by its sha256, wherever that file still lies. */
function runningPeerTrust(
  host: HostFacts,
  { facts, bundles }: Pick<CertificateProof, 'facts' | 'bundles'>,
): string | undefined {
  const others = Object.values(facts.hosts).flatMap(({ certificates }) =>
    Object.entries(certificates).flatMap(([path, text]) => (path.endsWith('/peer-ca.crt') ? [text] : [])),
  );
  return runningBundle(host, 'peer', [...others, ...bundles]);
}
