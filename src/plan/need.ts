/** Whether a step is (still) needed, from facts alone: asked when planning, before it runs, and after, as its verification. */
import { createHash } from 'node:crypto';
import type { FileFact, HostFacts } from '../domain/facts.ts';
import { generationsOn } from '../domain/generation.ts';
import { memberList } from '../domain/health.ts';
import { BOOTSTRAP_ENVIRONMENT, unitFile } from '../domain/layout.ts';
import { type RunWish, restartReason } from '../domain/run-record.ts';
import { type DataFolder, type Draft, type FilePut, type StepKind, TOKEN_PLACEHOLDER } from '../domain/step.ts';
import { memberView, missingKeys, trustBundle, trustProblem } from './certificates.ts';
import { keyGap, leafGap, prepareGaps } from './generation-gaps.ts';
import type { View } from './view.ts';

/** `reason` says why it is needed, or why nothing is to do. */
export interface Need {
  readonly needed: boolean;
  readonly reason: string;
}

type Checks = { readonly [K in FactStepKind]: (step: Draft<K>, view: View, host: HostFacts) => Need };

/** Steps on hosts whose need the probe's facts answer. Steps of the operator verify themselves when they run. */
const checks: Checks = {
  'package.hold': (step, _view, host) => {
    const loose = host.packages.filter((each) => step.packages.includes(each.name) && !each.held);
    const runs =
      step.unit !== '' && host.processes.some((each) => each.executable === '/usr/bin/etcd' && each.unit === step.unit);
    if (runs) return yes(`the distribution's etcd runs as ${step.unit}`);
    return loose.length > 0 ? yes(`${names(loose)} would start or restart etcd at upgrades`) : no('held already');
  },
  'user.ensure': (step, _view, host) =>
    host.user.exists && host.user.group === step.user
      ? no(`user ${step.user} exists`)
      : yes(`there is no user ${step.user} with a group of its own`),
  'directory.ensure': (step, _view, host) => {
    const fact = fileAt(host, step.path);
    if (fact.kind !== 'directory') return yes(fact.kind === 'absent' ? 'there is none yet' : `it is a ${fact.kind}`);
    const differs = ownershipDiffers(fact, step);
    return differs === undefined ? no(`${step.path} is as wanted`) : yes(differs);
  },
  'binary.install': (step, _view, host) =>
    fileAt(host, `${step.directory}/etcd`).kind === 'file'
      ? no(`etcd ${step.version} is installed`)
      : yes(`etcd ${step.version} is not installed`),
  'binary.link': (step, _view, host) => {
    const wrong = step.names.filter(
      (each) => !linksTo(fileAt(host, `${step.binDir}/${each}`), `${step.directory}/${each}`),
    );
    return wrong.length === 0
      ? no('links point to this version')
      : yes(`${wrong.join(', ')} not linked to this version`);
  },
  'generation.prepare': (step, _view, host) => {
    const fact = fileAt(host, step.directory);
    if (fact.kind !== 'directory') return yes(fact.kind === 'absent' ? 'there is none yet' : `it is a ${fact.kind}`);
    const differs = ownershipDiffers(fact, { mode: '0755', owner: 'root', group: 'root' });
    const [gap] = prepareGaps(host, step);
    const reason = differs ?? (gap && `the ${gap.leaf.purpose} key ${gap.reason}`);
    return reason === undefined ? no('it is prepared') : yes(reason);
  },
  'key.make': (step, _view, host) => {
    const missing = missingKeys(host, step.directory, step.purposes);
    const unfit = step.purposes.filter((purpose) => keyGap(host, step, { purpose, key: 'make' }) !== undefined);
    const made = step.purposes.filter((each) => missing.includes(each) || unfit.includes(each));
    return made.length === 0 ? no('keys exist') : yes(`no key yet: ${made.join(', ')}`);
  },
  'pki.put': (step, view, host) => {
    const member = memberView(view, host.host);
    if (member === undefined) return yes(`${host.host} is no controller`);
    const gaps = step.leaves.flatMap((leaf) => {
      const gap = leafGap(member, step, leaf);
      return gap === undefined ? [] : [`${leaf.purpose}: ${gap}`];
    });
    const reason = gaps.length > 0 ? gaps.join('; ') : trustProblem(member, step.directory, step);
    return reason === undefined ? no('certificates match') : yes(reason);
  },
  'pki.switch': (step, _view, host) =>
    linksTo(fileAt(host, step.link), step.target)
      ? no('this generation is in use')
      : yes('this generation is not in use'),
  'generation.prune': (step, view, host) => {
    const others = generationsOn(view.cluster, host).filter((path) => !path.endsWith(`/${step.target}`));
    const requests =
      step.requests === undefined || fileAt(host, step.requests).kind === 'absent' ? [] : [step.requests];
    const left = [...others, ...requests];
    return left.length === 0 ? no('there is no other generation') : yes(`private keys lie in ${left.join(', ')}`);
  },
  'file.put': (step, view, host) => fileNeed(step, view, host),
  'file.remove': (step, _view, host) =>
    fileAt(host, step.path).kind === 'absent' ? no(`${step.path} is not there`) : yes('there was none before'),
  'record.attempt': (step, view, host) => {
    const { attempt, starting } = host.records;
    if (starting !== undefined && !host.data.wal) return yes('its first start came to nothing');
    const { uuid, clusterId, memberIds } = view.identity ?? {};
    const same =
      attempt?.uuid === uuid && attempt?.clusterId === clusterId && attempt?.memberId === memberIds?.[step.member];
    return attempt !== undefined && same ? no('recorded') : yes('it takes part in forming this cluster');
  },
  'unit.enable': (_step, _view, host) =>
    host.unit.fileState === 'enabled' ? no('starts at boot') : yes('it does not start at boot'),
  'unit.start': (_step, _view, host) =>
    isActive(host) && hasNotes(host) ? no(`${host.unit.activeState} already`) : yes(`it is ${host.unit.activeState}`),
  'unit.restart': (step, view, host) => {
    const wish = restartWish(step, view, host);
    const reason = typeof wish === 'string' ? wish : restartReason(host, { ...step, wish });
    return reason === undefined ? no('it runs with what is wanted') : yes(reason);
  },
  'member.update': ({ memberId, peerUrls }, { facts }) => {
    const dialled = memberList(facts).find((each) => each.id === memberId)?.peerUrls ?? [];
    const same = dialled.toSorted().join() === peerUrls.toSorted().join();
    return same ? no('the others dial it there') : yes(`the others dial it at ${dialled.join(', ') || 'no address'}`);
  },
  'marker.put': (step, view, host) => {
    const { marker } = host.records;
    if (marker === undefined || marker.uuid !== view.identity?.uuid) return yes('it is healthy and not marked so yet');
    const id = step.adopted?.memberId ?? view.identity.memberIds[host.host];
    if (id !== undefined && marker.memberId !== id) return yes(`it is marked as member ${marker.memberId}, not ${id}`);
    const leftover = fileAt(host, BOOTSTRAP_ENVIRONMENT).kind !== 'absent';
    return leftover ? yes('what its first start ran from is still there') : no('marked');
  },
  'unit.stop': (_step, _view, host) =>
    host.unit.activeState === 'inactive' || host.unit.activeState === 'failed' || host.unit.loadState === 'not-found'
      ? no(`not running (${host.unit.activeState})`)
      : yes(`it is ${host.unit.activeState}`),
  'unit.disable': (_step, _view, host) =>
    host.unit.fileState === 'enabled' ? yes('it starts at boot') : no('does not start at boot'),
  'data.aside': (step, _view, host) => dataNeed(step, host),
  'data.own': (step, _view, host) => {
    const fact = fileAt(host, `${step.path}/${step.entry}`);
    return fact.kind === 'directory' && fact.owner !== step.user
      ? yes(`it belongs to ${fact.owner}`)
      : no(`it belongs to ${step.user}`);
  },
  'data.delete': (step, _view, host) => dataNeed(step, host),
  'path.remove': (step, _view, host) => {
    const left = step.paths.filter((path) => host.files[path] !== undefined && host.files[path]?.kind !== 'absent');
    return left.length === 0 ? no('gone already') : yes('quorate put it there');
  },
};

/** Kinds of steps that the operator's side runs; their effects prove themselves. */
const operatorKinds = [
  'store.create',
  'authority.make',
  'authority.succeed',
  'authority.activate',
  'authority.retire',
  'authority.uncross',
  'authority.abandon',
  'authority.replace',
  'authority.renew',
  'authority.import',
  'certificate.accept',
  'admin.key',
  'revocation.refresh',
  'admin.issue',
  'goal.set',
  'goal.close',
  'release.fetch',
  'cert.issue',
  'cluster.await',
  'cluster.prove',
  'certificates.prove',
  'revocation.prove',
  'formation.note',
  'snapshot.save',
  'version.check',
  'version.await',
  'raft.snapshot',
  'downgrade.enable',
  'downgrade.cancel',
  'formation.forget',
  'member.add',
  'member.await',
  'member.promote',
  'member.remove',
  'leader.move',
  'data.prove',
  'alarm.disarm',
] as const;
type OperatorKind = (typeof operatorKinds)[number];
/** Kinds whose need facts answer. */
export type FactStepKind = Exclude<StepKind, OperatorKind>;
/** Those of them that run on their host. */
export type HostStepKind = Exclude<FactStepKind, 'member.update'>;

/** Whether `step` is needed now. Steps of the operator are always needed when they are in a plan. */
export function need(step: Draft, view: View): Need {
  if (!isFactStep(step)) return yes('the plan asks for it');
  const host = view.facts.hosts[step.host];
  return host === undefined ? yes(`${step.host} was not observed`) : check(step, view, host);
}

/** Whether facts can answer for this step. */
export function isFactStep(step: Draft): step is Draft<FactStepKind> {
  return !operatorKinds.some((each) => each === step.kind);
}

/** Whether this step is a part of its host's script. */
export function isHostStep(step: Draft): step is Draft<HostStepKind> {
  return isFactStep(step) && step.kind !== 'member.update';
}

function check<K extends FactStepKind>(step: Draft<K>, view: View, host: HostFacts): Need {
  return checks[step.kind](step, view, host);
}

/** The content that lands on the host: the token stands where the plan has a placeholder. */
export function fillToken(content: string, view: View): string {
  return view.pki.identity === undefined ? content : content.replaceAll(TOKEN_PLACEHOLDER, view.pki.identity.token);
}

/** What the start record is to tell, the wanted bundles and binary included; in words why that is not known yet. */
function restartWish(step: Draft<'unit.restart'>, { pki }: View, host: HostFacts): RunWish | string {
  const { trust, binary } = step;
  const file = binary === undefined ? undefined : fileAt(host, binary);
  if (file !== undefined && file.kind !== 'file') return 'its binary is still to be installed';
  // Where hosts cannot hash, what the links say is all there is.
  const wish = file === undefined || file.sha256 === '' ? step.wish : { ...step.wish, binarySha256: file.sha256 };
  if (trust === undefined) return wish;
  const [client, peer] = [trustBundle(pki.authorities, trust.client), trustBundle(pki.authorities, trust.peer)];
  if (client === undefined || peer === undefined) return 'its authorities are still to be made';
  return { ...wish, caSha256: sha256(client), peerCaSha256: sha256(peer) };
}

function fileNeed(step: FilePut, view: View, host: HostFacts): Need {
  const fact = fileAt(host, step.path);
  if (fact.kind === 'absent') return yes('there is none yet');
  if (fact.kind !== 'file') return yes(`it is a ${fact.kind}`);
  if (fact.sha256 !== sha256(fillToken(step.content, view))) return yes('its content differs');
  if (host.unit.needsDaemonReload && step.path === unitFile(view.cluster)) return yes('systemd has not read it yet');
  const differs = ownershipDiffers(fact, step);
  return differs === undefined ? no(`${step.path} matches`) : yes(differs);
}

function dataNeed({ path, entry }: DataFolder, host: HostFacts): Need {
  return fileAt(host, `${path}/${entry}`).kind === 'absent' ? no('there is no data') : yes('it holds data');
}

function ownershipDiffers(
  fact: { readonly mode: string; readonly owner: string; readonly group: string },
  want: { readonly mode: string; readonly owner: string; readonly group: string },
): string | undefined {
  if (Number.parseInt(fact.mode, 8) !== Number.parseInt(want.mode, 8))
    return `its mode is ${fact.mode}, not ${want.mode}`;
  if (fact.owner !== want.owner || fact.group !== want.group) {
    return `it belongs to ${fact.owner}:${fact.group}, not ${want.owner}:${want.group}`;
  }
  return undefined;
}

function fileAt(host: HostFacts, path: string): FileFact {
  return host.files[path] ?? { kind: 'absent' };
}

function linksTo(fact: FileFact, target: string): boolean {
  return fact.kind === 'link' && fact.target === target;
}

function isActive(host: HostFacts): boolean {
  return host.unit.activeState === 'active' || host.unit.activeState === 'activating';
}

/** Whether quorate has noted that this host takes part: a unit of the same name without that is a distribution's, or somebody's. */
export function hasNotes({ records }: HostFacts): boolean {
  return (records.attempt ?? records.starting ?? records.marker) !== undefined;
}

function names(packages: readonly { readonly name: string }[]): string {
  return packages.map((each) => each.name).join(', ');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function yes(reason: string): Need {
  return { needed: true, reason };
}

function no(reason: string): Need {
  return { needed: false, reason };
}
