/** certs ca external request: keys on the members, in a folder that nothing refers to, for which an authority elsewhere is asked to sign. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { currentGeneration } from '../domain/generation.ts';
import { pkiGeneration, requestFolder } from '../domain/layout.ts';
import { activeAuthority } from '../domain/pki-view.ts';
import { compareText, dropEmptyStages, type Plan, stage } from '../domain/plan.ts';
import { type Draft, type LeafPurpose, leafPurposes, OPERATOR } from '../domain/step.ts';
import { judgeCluster } from '../domain/verdict.ts';
import { signedElsewhere } from '../pki/profile.ts';
import { generationsDirectory } from './generation.ts';
import { type Candidate, neededDrafts } from './host-steps.ts';
import { planBase, type View } from './view.ts';

export interface RequestWish {
  /** Names of controllers; empty: all. */
  readonly members: readonly string[];
}

/**
 * Makes what requests are signed with, where it is not there: keys that an earlier run made stay, so that requests which are under way go on counting.
 * Nothing that serves is touched. Empty, with reasons, where every key is there.
 * @throws QuorateError refused, unreachable, usage
 */
export function planExternalRequest(view: View, wish: RequestWish): Plan {
  const { cluster, facts } = view;
  const purposes = requestedPurposes(view);
  const members = requestMembers(view, wish);
  const verdict = judgeCluster(cluster, facts, view.identity);
  const formed = view.identity?.formedAt !== undefined || verdict.kind === 'formed';
  if (!formed && verdict.kind === 'refused') throw new QuorateError('refused', verdict.message, { hint: verdict.hint });
  const plan = dropEmptyStages({
    ...planBase(view, 'certs ca external request'),
    stages: [
      stage('operator', 'with the operator', 'operator', operatorDrafts(view, purposes)),
      stage(
        'prepare',
        'make keys on the members, beside those in use',
        'parallel',
        members.flatMap((host) => memberDrafts(view, host, purposes)),
      ),
    ],
    reasons: [],
  });
  if (plan.stages.length > 0) return plan;
  const reason = `keys for requests are in ${requestFolder(cluster)}`;
  return { ...plan, reasons: members.map((host) => ({ host, reason })) };
}

/** Purposes whose certificates the policy wants signed elsewhere. @throws QuorateError refused where it wants none */
export function requestedPurposes({ cluster }: Pick<View, 'cluster'>): readonly LeafPurpose[] {
  const purposes = leafPurposes.filter((each) => signedElsewhere(each, cluster.pki));
  if (purposes.length > 0) return purposes;
  const known = cluster.pki.authorities === 'single' ? '[both]' : '[client] or [client, peer]';
  throw new QuorateError('refused', `${cluster.name}: quorate signs all certificates of this cluster itself`, {
    hint: `where an authority elsewhere is to sign, say so in the inventory: pki: { external: ${known} }`,
  });
}

/** The members that are asked for, sorted. @throws QuorateError usage, unreachable */
export function requestMembers({ cluster, facts }: View, { members }: RequestWish): readonly string[] {
  const names = cluster.controllers.map((each) => each.name);
  const unknown = members.filter((each) => !names.includes(each));
  if (unknown.length > 0) {
    throw new QuorateError('usage', `--member ${unknown.join(', ')}: the inventory has no such controller`, {
      hint: `one of: ${names.join(', ')}`,
    });
  }
  const asked = members.length === 0 ? names : [...new Set(members)].sort(compareText);
  const lost = asked.find((each) => facts.hosts[each] === undefined);
  if (lost === undefined) return asked;
  throw new QuorateError('unreachable', facts.unreachable[lost] ?? `${lost}: was not observed`, { host: lost });
}

function operatorDrafts({ pki }: View, purposes: readonly LeafPurpose[]): readonly Draft[] {
  const create: Draft = { kind: 'store.create', host: OPERATOR, why: 'a certificate is requested for this cluster' };
  const admin: Draft = { kind: 'admin.key', host: OPERATOR, why: 'its certificate is signed elsewhere' };
  return [
    ...(pki.identity === undefined ? [create] : []),
    ...(purposes.includes('client') && pki.adminKey === undefined ? [admin] : []),
  ];
}

function memberDrafts(view: View, host: string, purposes: readonly LeafPurpose[]): readonly Draft[] {
  const { cluster, facts } = view;
  const directory = requestFolder(cluster);
  const current = currentGeneration(cluster, facts.hosts[host]);
  const from = current === 0 ? '' : pkiGeneration(cluster, current);
  const { user } = cluster;
  const { algorithm } = cluster.pki;
  const leaves = purposes.map((purpose) => {
    const authority = activeAuthority(view.pki, purpose === 'peer' ? 'peer' : 'client')?.id ?? '';
    return { purpose, authority, cross: false, key: 'make' } as const;
  });
  const candidates: readonly Candidate[] = [
    { kind: 'user.ensure', host, user },
    { kind: 'directory.ensure', host, path: cluster.paths.configDir, mode: '0755', owner: 'root', group: 'root' },
    generationsDirectory(view, host),
    { kind: 'generation.prepare', host, directory, from, leaves, algorithm, user },
    { kind: 'key.make', host, directory, from, purposes, algorithm, user },
  ];
  return neededDrafts(view, candidates);
}
