/** quorate certs revoke, certs client revoke: taking certificates back, and proving on every member that they are refused. */
import { QuorateError } from '../domain/errors.ts';
import { type RevocationReason, reasonNames } from '../pki/crl.ts';
import type { Revocation } from '../pki/revoked.ts';
import { takenOver, unrecordedRevocations } from '../plan/host-lists.ts';
import { planRevocation, revocationLeft } from '../plan/revocation.ts';
import { type SelectedCertificate, selectRevoked } from '../plan/revoke-selection.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Ports, type Verb, value } from './command.ts';

type Cluster = Awaited<ReturnType<Ports['cluster']>>;
type Evidence = Awaited<ReturnType<Ports['certificateEvidence']>>;

/** Notes first, then brings what is noted into force; without a name it goes on with what an interrupted run has left. */
export const certsRevoke: Verb = async (invocation, ports) => {
  const reason = reasonOf(invocation);
  if (invocation.args.length > 1) throw new QuorateError('usage', 'certs revoke: one name or serial at a time');
  const cluster = await ports.cluster();
  const evidence = await ports.certificateEvidence(cluster);
  const selected = select(invocation, evidence, ports);
  const found = onHosts(evidence, ports);
  if (selected.length > 0) await confirm(selected, invocation, ports);
  const why = value(invocation, 'why') ?? '';
  await ports.revoke(cluster, [...found, ...selected.map((each) => ({ ...each, reason, why }))]);
  if (selected.length > 0) ports.ui.note(`noted: ${selected.length} revoked; now to bring it into force`);
  return enforce(invocation, cluster, ports);
};

/** The same for a client; a name is wanted. */
export const certsClientRevoke: Verb = async (invocation, ports) => {
  if (invocation.args.length > 0) return certsRevoke(invocation, ports);
  throw new QuorateError('usage', 'certs client revoke: a name or a serial is wanted', {
    hint: 'quorate certs client revoke backup',
  });
};

/** What a member uses now is refused: so the hosts are looked at first. */
function select(invocation: Invocation, evidence: Evidence, ports: Ports): readonly SelectedCertificate[] {
  const [target] = invocation.args;
  if (target === undefined) return [];
  const selected = selectRevoked(target, evidence);
  if (selected.length === 0) ports.ui.note(`${target}: all of it was revoked before, or has ended`);
  return selected;
}

/** A state directory that is older than the cluster learns what hosts refuse already: the list that it makes must not take that back. */
function onHosts({ cluster, facts, store }: Evidence, ports: Ports): readonly Revocation[] {
  const lists = (store.lists ?? []).map(({ sha256 }) => sha256);
  const known = { cluster, authorities: store.authorities, revoked: store.revoked, lists };
  const found = takenOver(unrecordedRevocations(Object.values(facts.hosts), known), store.issued ?? []);
  for (const { serial, why } of found) ports.ui.note(`notes ${serial} as revoked: ${why}`);
  return found;
}

async function confirm(selected: readonly SelectedCertificate[], invocation: Invocation, ports: Ports): Promise<void> {
  for (const { serial, commonName, purpose, notAfter } of selected) {
    ports.ui.note(`revokes ${serial}: ${purpose} CN=${commonName}, until ${notAfter}`);
  }
  if (selected.some(({ purpose }) => purpose === 'server')) {
    ports.ui.warn(
      "a server's certificate: clients of etcd never look at a revocation list; rotate it as well, or its authority",
    );
  }
  if (flag(invocation, 'yes')) return;
  const question = `Revoke ${selected.length === 1 ? 'it' : 'them'}? It is never taken back.`;
  const answer = await ports.ui.confirm({ question, expect: 'yes', instead: '--yes' });
  if (!answer) throw new QuorateError('interrupted', 'not confirmed: nothing was changed');
}

async function enforce(invocation: Invocation, cluster: Cluster, ports: Ports): Promise<number> {
  const session = await ports.session(cluster, { endpoints: true, requireAll: false, settled: true });
  try {
    const restart = flag(invocation, 'restart');
    const unreached = session.failures.length;
    const run = {
      planner: (view: Parameters<typeof planRevocation>[0]) => planRevocation(view, { restart }),
      question: `Bring the revocation lists of ${cluster.name} into force?`,
      left: revocationLeft,
    };
    const status = await applyPlan(session, run, invocation, ports);
    if (!restart)
      ports.ui.note('connections that are open live on until they end or their member restarts: --restart ends them');
    return unreached > 0 ? 2 : status;
  } finally {
    await session.close();
  }
}

function reasonOf(invocation: Invocation): RevocationReason {
  const text = value(invocation, 'reason') ?? 'unspecified';
  const found = reasonNames.find((each) => each === text);
  if (found !== undefined) return found;
  throw new QuorateError('usage', `--reason ${text}: there is no such reason`, {
    hint: `one of ${reasonNames.join(', ')}`,
  });
}
