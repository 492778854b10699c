/** Why a running cluster is not changed: told before anything is. Pure. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { currentGeneration } from '../domain/generation.ts';
import { memberList } from '../domain/health.ts';
import { hostOf } from '../domain/membership.ts';
import { isPlaintext } from '../domain/plaintext.ts';
import { compareText } from '../domain/plan.ts';
import { majority } from '../domain/quorum.ts';
import type { View } from './view.ts';

/** The controllers that `--member` names, sorted; all where it names none. @throws QuorateError usage for one that the inventory lacks */
export function chosenMembers({ cluster }: View, wanted: readonly string[]): readonly string[] {
  const names = cluster.controllers.map((each) => each.name);
  const unknown = wanted.filter((each) => !names.includes(each));
  if (unknown.length > 0) {
    throw new QuorateError('usage', `--member ${unknown.join(', ')}: the inventory has no such controller`, {
      hint: `one of: ${names.join(', ')}`,
    });
  }
  return wanted.length === 0 ? names : [...new Set(wanted)].sort(compareText);
}

/** @throws QuorateError refused where neither the store nor a host knows that the cluster was formed, or hosts carry another one */
export function requireFormed({ cluster, facts, identity }: View): void {
  const marked = Object.values(facts.hosts).some((each) => each.records.marker !== undefined);
  if (identity === undefined) {
    throw new QuorateError('refused', `${cluster.name}: the state directory ${cluster.stateDir} holds no cluster`, {
      hint: marked
        ? 'restore it from its backup or repository: it holds the authorities of this cluster'
        : 'quorate bootstrap -i FILE makes a cluster',
    });
  }
  for (const { host, records } of Object.values(facts.hosts)) {
    const { marker } = records;
    if (marker === undefined || marker.uuid === identity.uuid) continue;
    const whose = `${marker.cluster} (UUID ${marker.uuid})`;
    throw new QuorateError('refused', `${host}: belongs to another cluster: ${whose}`, {
      host,
      hint: "use that cluster's inventory and state directory, or reset the host with them first",
    });
  }
  if (identity.formedAt !== undefined || marked) return;
  throw new QuorateError('refused', `${cluster.name}: has not been formed yet`, {
    hint: 'quorate bootstrap -i FILE forms it, or goes on forming it',
  });
}

/**
 * `go`: the command that goes on with the others.
 * @throws QuorateError unreachable: members that are to be changed and cannot be looked at, or most hosts, which a run could not lock
 */
export function requireReached(view: View, members: readonly string[], go: string): void {
  const { cluster, facts } = view;
  const lost = members.filter((name) => facts.hosts[name] === undefined);
  const reached = cluster.controllers.map(({ name }) => name).filter((name) => facts.hosts[name] !== undefined);
  const [first] = lost;
  if (first === undefined && reached.length >= majority(cluster.controllers.length)) return;
  const hint =
    reached.length >= majority(cluster.controllers.length)
      ? `what it has is not known: bring it back, or leave it out: ${go} --member ${reached.join(' ')}`
      : `bring hosts back first: a run locks most of the ${cluster.controllers.length}`;
  const gone = first === undefined ? Object.keys(facts.unreachable).sort(compareText) : lost;
  const errors = gone.map(
    (name) =>
      new QuorateError('unreachable', facts.unreachable[name] ?? `${name}: cannot be looked at`, { host: name, hint }),
  );
  throw combineErrors(`${errors.length} of ${cluster.controllers.length} hosts cannot be reached`, errors);
}

/** @throws QuorateError refused: members that were formed with the others, and have no data now */
export function requireData(view: View, wiped: readonly string[], go: string): void {
  const [first] = wiped;
  if (first === undefined) return;
  const others = view.cluster.controllers.map(({ name }) => name).filter((name) => !wiped.includes(name));
  const rest = others.length >= majority(view.cluster.controllers.length);
  throw new QuorateError(
    'refused',
    `${wiped.join(', ')}: was a member and has no data now: it is not stopped, it is lost`,
    {
      host: wiped.length === 1 ? first : undefined,
      hint: rest
        ? `${go} --member ${others.join(' ')} takes the others; then quorate member replace ${first} -i FILE`
        : 'most of the data is gone: restore a snapshot',
    },
  );
}

/** @throws QuorateError refused: settings name certificates, and a member of a cluster that was made elsewhere has none of quorate's before its first apply */
export function requireOwnCertificates({ cluster, facts }: View, members: readonly string[]): void {
  const first = members.find((name) => currentGeneration(cluster, facts.hosts[name]) === 0);
  if (first === undefined) return;
  throw new QuorateError(
    'refused',
    `${first}: has no certificates of quorate's yet, and its settings would name them: it would not start`,
    {
      host: first,
      hint: 'bring settings and certificates first: quorate apply -i FILE without --only, with the version that runs in the inventory',
    },
  );
}

/**
 * Plaintext that has ended on a member is opened on none again.
 * @throws QuorateError refused
 */
export function requireNotReopened({ cluster, facts }: View): void {
  if (!cluster.plaintextClients) return;
  const closed = memberList(facts).find((each) => {
    const host = hostOf(cluster, facts, each)?.name ?? '';
    const told = each.clientUrls.length > 0 && !each.clientUrls.some(isPlaintext);
    return told && currentGeneration(cluster, facts.hosts[host]) > 0;
  });
  if (closed === undefined) return;
  const name = hostOf(cluster, facts, closed)?.name ?? closed.name;
  throw new QuorateError(
    'refused',
    `${name}: serves clients over TLS alone, and etcd.plaintextClients would open plaintext again`,
    {
      host: name,
      hint: 'take etcd.plaintextClients out of the inventory: it is for clusters that were made without TLS',
    },
  );
}
