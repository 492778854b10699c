/** Members that are to be at another peer URL, or to have another name: what their turn has for it, and why it cannot be done. Pure. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { MemberFact } from '../domain/facts.ts';
import { memberList } from '../domain/health.ts';
import { labelOf } from '../domain/membership.ts';
import { requireDialled } from './client-ports.ts';
import type { Candidate } from './host-steps.ts';
import { type Move, type Roster, rosterOf } from './roster.ts';
import type { View } from './view.ts';

/** What of a member's turn tells the others where to dial it from then on: before its restart, because they would dial the old address for ever. */
export function moveCandidates(view: View, host: string): readonly Candidate[] {
  const move = rosterOf(view).moved.find(({ name }) => name === host);
  return move === undefined ? [] : [{ kind: 'member.update', host, memberId: move.entry.id, peerUrls: [move.to] }];
}

export interface MoveWish {
  /** Names of controllers that may be changed. */
  readonly chosen: readonly string[];
  /** Whether both configuration and certificates are brought; `false`: neither; 'half': one without the other. */
  readonly brought: boolean | 'half';
}

/** @throws QuorateError refused, unreachable: with every member whose peer URL or name cannot be what the inventory wants */
export function requireMovable(view: View, roster: Roster, { chosen, brought }: MoveWish): void {
  const moved = roster.moved.filter(({ name }) => chosen.includes(name));
  const renamed = roster.renamed.filter(({ name }) => chosen.includes(name));
  const failures = [
    ...moved.flatMap((move) => objectionToMove(view, roster, move) ?? []),
    ...renamed.flatMap((each) => objectionToName(view, each) ?? []),
    ...(brought === 'half' ? moved.map(({ name }) => halfOnly(name)) : []),
  ];
  const [first] = failures;
  if (first === undefined) return;
  throw failures.length === 1 ? first : combineErrors(`${failures.length} members cannot be changed`, failures);
}

/**
 * Before another verb makes certificates or changes what members run with: those would be for addresses at which nobody dials the member yet.
 * @throws QuorateError refused
 */
export function requireSettled(view: View, members: readonly string[]): void {
  requireDialled(view);
  const [first] = rosterOf(view).moved.filter(({ name }) => members.includes(name));
  if (first === undefined) return;
  throw refused(
    first.name,
    `the cluster dials it at ${first.entry.peerUrls.join(', ')}, and the inventory wants ${first.to}: it has to move first`,
    'quorate apply -i FILE moves it; or put the address back',
  );
}

/** What a move means for those who are no members. */
export function moveWarnings(view: View, { moved, renamed }: Roster, chosen: readonly string[]): readonly string[] {
  const ours = moved.filter(({ name }) => chosen.includes(name));
  return [
    ...ours.flatMap((move) => [...clientWarnings(view, move), ...sourceWarnings(view, move)]),
    ...moved
      .filter(({ name }) => !chosen.includes(name))
      .map(({ name, entry, to }) => `${name}: stays at ${entry.peerUrls.join(', ')}, and the inventory wants ${to}`),
    ...renamed
      .filter(({ name }) => chosen.includes(name))
      .map(({ name, entry }) => `${name}: is called ${entry.name} until it restarts; its ID and its data stay`),
  ];
}

function clientWarnings({ cluster }: View, { name, entry }: Move): readonly string[] {
  const url = cluster.controllers.find((each) => each.name === name)?.clientUrl ?? '';
  const served = cluster.plaintextClients ? [url, url.replace(/^https/, 'http')] : [url];
  if (entry.clientUrls.some((each) => served.includes(each)) || entry.clientUrls.length === 0) return [];
  return [`${name}: clients that name ${entry.clientUrls.join(', ')} find it at ${url} alone from its turn on`];
}

/** A peer port refuses a certificate that does not name the address which it is dialled from (client/pkg/transport/listener_tls.go, checkCertSAN). */
function sourceWarnings({ cluster, facts }: View, { name, entry }: Move): readonly string[] {
  const own = facts.hosts[name]?.addresses ?? [];
  const sans = cluster.controllers.find((each) => each.name === name)?.sans.ip ?? [];
  const old = entry.peerUrls.map((url) => new URL(url).hostname).find((each) => own.includes(each));
  if (old === undefined || sans.includes(old)) return [];
  return [
    `${name}: still has ${old}, and its new certificates do not: where it dials the others from there, they refuse it; name it under sans until it is gone`,
  ];
}

function objectionToMove(view: View, roster: Roster, { name, entry, to }: Move): QuorateError | undefined {
  const { cluster, facts } = view;
  const from = entry.peerUrls.join(', ');
  if (roster.arriving.includes(name)) {
    const hint = `put the address back until it has its vote; or quorate member remove ${name} -i FILE, and add it anew`;
    return refused(name, `is on its way into the cluster at ${from}, and the inventory wants ${to}`, hint);
  }
  const other = memberList(facts).find((each) => each.id !== entry.id && each.peerUrls.includes(to));
  if (other !== undefined) {
    const hint = `move ${labelOf(cluster, facts, other)} to an address of its own first: two members cannot change places at once`;
    return refused(name, `is to be at ${to}, which is where member ${other.id} is dialled`, hint);
  }
  const twin = cluster.controllers.find(
    (each) => each.name !== name && facts.hosts[each.name]?.records.marker?.memberId === entry.id,
  );
  if (twin !== undefined) {
    const hint = `find out which of them holds the member's data; the other is a copy: keep its etcd stopped, and take it out of the inventory`;
    return refused(name, `${twin.name} carries the mark of the same member (${entry.id})`, hint);
  }
  const answer = facts.endpoints[name];
  if (answer !== undefined && answer.failure === undefined && answer.memberId !== entry.id) {
    const hint = 'check the addresses of the controllers, of ssh too';
    return refused(name, `is marked as member ${entry.id}, and member ${answer.memberId} answers there`, hint);
  }
  return facts.hosts[name] === undefined ? lost(view, name, `${from} to ${to}`) : undefined;
}

function lost({ facts }: View, name: string, way: string): QuorateError {
  const why = facts.unreachable[name] ?? `${name}: cannot be looked at`;
  return new QuorateError('unreachable', `${why}; it was to move from ${way}`, {
    host: name,
    hint: 'let quorate reach it, or put its address back; a machine that is gone: quorate member replace NAME -i FILE',
  });
}

/** The list may have two members of one name; nobody could tell them apart then. */
function objectionToName(
  { facts }: View,
  { name, entry }: { readonly name: string; readonly entry: MemberFact },
): QuorateError | undefined {
  const other = memberList(facts).find((each) => each.id !== entry.id && each.name === name);
  if (other === undefined) return undefined;
  return refused(
    name,
    `is the name of member ${other.id} (${other.peerUrls.join(', ')}), and the inventory has member ${entry.id} (${entry.name}) under it`,
    'put the names back to the hosts of their members; to change names between two, give one a third name first',
  );
}

function halfOnly(name: string): QuorateError {
  return refused(
    name,
    'moves to another address, and --only leaves out a half of it: its configuration and its certificates change in one turn',
    'run apply without --only, or with --only config,certs',
  );
}

function refused(host: string, what: string, hint: string): QuorateError {
  return new QuorateError('refused', `${host}: ${what}`, { host, hint });
}
