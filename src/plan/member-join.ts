/** The stages that bring a controller into a formed cluster: as a learner at first, with its vote once it has caught up. Pure. */
import type { Controller } from '../domain/controller.ts';
import { QuorateError } from '../domain/errors.ts';
import type { HostFacts, MemberFact } from '../domain/facts.ts';
import { ATTEMPT_FILE, configFile, dataFolders, MARKER_FILE, STARTING_FILE } from '../domain/layout.ts';
import { entryOf, labelOf, neverStarted } from '../domain/membership.ts';
import { type Stage, stage } from '../domain/plan.ts';
import { comparableConfig } from '../domain/run-record.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { type GenerationDrafts, generationDrafts, mendingTurn } from './generation.ts';
import { type Candidate, configureCandidates, neededDrafts, prepareCandidates } from './host-steps.ts';
import { fillToken } from './need.ts';
import { releaseFetches } from './releases.ts';
import { listRefresh } from './revocation-refresh.ts';
import type { View } from './view.ts';

/** Where a controller stands on its way into the cluster. */
export type Arrival = 'outside' | 'listed' | 'learner' | 'voter';

export interface Joining {
  readonly controller: Controller;
  readonly arrival: Arrival;
  /** What lies on its host from an earlier member. */
  readonly leftovers: readonly Draft[];
  readonly generation: GenerationDrafts | undefined;
}

export interface JoinWish {
  /** In the order in which they come. */
  readonly names: readonly string[];
  /** The list at that time: less a member that is removed before. */
  readonly list: readonly MemberFact[];
  /** Hosts whose earlier member's traces the plan has taken away before. */
  readonly cleaned: readonly string[];
  readonly stallMs: number;
}

/** Stages beside what runs, and those that change the cluster. */
export interface JoinStages {
  readonly beside: readonly Stage[];
  readonly join: readonly Stage[];
}

/** How far a controller has come, by the list. @throws QuorateError refused where it is a member that lost its data */
export function arrivalOf(view: View, controller: Controller, list: readonly MemberFact[]): Arrival {
  const member = entryOf(view.facts, list, controller);
  if (member === undefined) return 'outside';
  if (neverStarted(member)) return 'listed';
  if (view.facts.hosts[controller.name]?.data.wal === false) {
    throw new QuorateError('refused', `${controller.name}: is a member (${member.id}) that has lost its data`, {
      host: controller.name,
      hint: `quorate member replace ${controller.name} -i FILE`,
    });
  }
  return member.learner ? 'learner' : 'voter';
}

/** Each stage with what is still needed, some perhaps without steps. */
export function joinStages(given: View, wish: JoinWish): JoinStages {
  const lists = listRefresh(given.pki, given.now);
  const view = { ...given, pki: lists.pki };
  const all = wish.names.map((name) => joiningOf(view, name, wish));
  const made = all.filter(isNew);
  const hosts = made.map(({ controller }) => controller.name);
  const drafts = (of: (each: Joining) => readonly Draft[]): readonly Draft[] => made.flatMap(of);
  const operator = [
    ...(made.some((each) => each.generation !== undefined) ? lists.drafts : []),
    ...releaseFetches(view, hosts),
  ];
  const prepare = drafts((each) => [
    ...neededDrafts(view, prepareCandidates(view, each.controller)),
    ...(each.generation?.prepare ?? []),
  ]);
  const beside = [
    stage('operator', 'with the operator', 'operator', operator),
    stage('prepare', 'prepare the new hosts', 'parallel', prepare),
    stage(
      'issue',
      'issue certificates',
      'operator',
      drafts((each) => each.generation?.issue ?? []),
    ),
  ];
  const configured = drafts((each) => configureDrafts(view, each, wish));
  const join = [
    stage(
      'leftovers',
      'move aside what an earlier member left',
      'parallel',
      drafts((each) => each.leftovers),
    ),
    stage('configure', 'configure the new members', 'parallel', configured),
    ...all.flatMap((each) => memberStages(view, each, wish)),
  ];
  return { beside, join };
}

/** What was replaced on the hosts of new members, once they are proved. */
export function joinPrune(view: View, wish: JoinWish): readonly Draft[] {
  return wish.names.flatMap((name) => joiningOf(view, name, wish).generation?.prune ?? []);
}

function joiningOf(view: View, name: string, { list, cleaned }: JoinWish): Joining {
  const controller = view.cluster.controllers.find((each) => each.name === name);
  if (controller === undefined) throw new QuorateError('usage', `${name}: the inventory has no such controller`);
  const arrival = arrivalOf(view, controller, list);
  const turn = arrival === 'outside' || arrival === 'listed' ? mendingTurn(view, name) : undefined;
  const leftovers = cleaned.includes(name)
    ? []
    : leftoverDrafts(view, controller, entryOf(view.facts, list, controller));
  return { controller, arrival, leftovers, generation: turn && generationDrafts(view, turn) };
}

function isNew({ arrival }: Joining): boolean {
  return arrival === 'outside' || arrival === 'listed';
}

/** Traces of a member that is gone: of another ID than the one that the list has for this host. */
function leftoverDrafts(view: View, { name }: Controller, member: MemberFact | undefined): readonly Draft[] {
  const host = view.facts.hosts[name];
  if (host === undefined || notedId(host) === undefined || notedId(host) === member?.id) return [];
  return cleanDrafts(view, name);
}

/** The ID that the data on a host is of: `starting` is written by the start that made it. */
export function notedId({ records: { starting, attempt, marker } }: HostFacts): string | undefined {
  return (attempt ?? starting ?? marker)?.memberId;
}

/** Stops the unit, moves the data aside and takes the notes away: of a member that the cluster no longer has. */
export function cleanDrafts(view: View, host: string, options: { readonly disable?: boolean } = {}): readonly Draft[] {
  const { cluster } = view;
  const { unit } = cluster;
  const disable: readonly Candidate[] = options.disable === true ? [{ kind: 'unit.disable', host, unit }] : [];
  return neededDrafts(view, [
    ...disable,
    { kind: 'unit.stop', host, unit },
    ...dataFolders(cluster).map((each): Candidate => ({ kind: 'data.aside', host, ...each })),
    { kind: 'path.remove', host, paths: [STARTING_FILE, ATTEMPT_FILE, MARKER_FILE] },
  ]);
}

function configureDrafts(view: View, joining: Joining, wish: JoinWish): readonly Draft[] {
  const { controller, generation } = joining;
  const others = configureCandidates(view, controller).filter(
    (each) => each.kind !== 'file.put' || each.path !== configFile(view.cluster),
  );
  return [
    ...(joining.leftovers.length > 0 || wish.cleaned.includes(controller.name) ? folderDrafts(view, controller) : []),
    ...(generation?.put ?? []),
    ...(generation?.switch ?? []),
    ...neededDrafts(view, [...joinConfig(view, controller, wish), ...others]),
  ];
}

/** Moving data aside takes its folder along. */
function folderDrafts(view: View, controller: Controller): readonly Draft[] {
  const folders = dataFolders(view.cluster).map((each) => each.path);
  return prepareCandidates(view, controller).flatMap((each): readonly Draft[] =>
    each.kind === 'directory.ensure' && folders.includes(each.path)
      ? [{ ...each, why: 'its data was moved aside' }]
      : [],
  );
}

/** The configuration of a first start: etcd starts a new member only with exactly the members of the list, it among them. */
function joinConfig(view: View, controller: Controller, { names, list }: JoinWish): readonly Candidate[] {
  const { cluster, desired } = view;
  const file = desired[controller.name]?.files.find(({ path }) => path === configFile(cluster));
  if (file === undefined) return [];
  const coming = names.slice(0, names.indexOf(controller.name) + 1);
  const known = list.filter((each) => !each.peerUrls.includes(controller.peerUrl));
  const members = new Map(
    known.flatMap((each) => each.peerUrls.map((url) => [url, labelOf(cluster, view.facts, each)])),
  );
  for (const name of coming) {
    const found = cluster.controllers.find((each) => each.name === name);
    if (found !== undefined) members.set(found.peerUrl, found.name);
  }
  const wanted = [...members].map(([url, name]) => `${name}=${url}`).sort();
  const inventory = cluster.controllers.map(({ name, peerUrl }) => `${name}=${peerUrl}`).sort();
  const content =
    wanted.join() === inventory.join()
      ? file.content
      : file.content.replace(/^initial-cluster: .*$/m, () => `initial-cluster: ${JSON.stringify(wanted.join(','))}`);
  return [{ kind: 'file.put', host: controller.name, ...file, content }];
}

function memberStages(view: View, joining: Joining, { stallMs, cleaned }: JoinWish): readonly Stage[] {
  const { controller, arrival } = joining;
  const { name, peerUrl } = controller;
  const steps = joinSteps(view, joining, stallMs);
  const starting = isNew(joining) ? startDrafts(view, joining, cleaned) : [];
  const added: Draft = {
    kind: 'member.add',
    host: OPERATOR,
    member: name,
    peerUrl,
    why: 'the cluster lacks it; a learner has no vote',
  };
  return [
    stage(`add-${name}`, `add ${name}`, 'operator', arrival === 'outside' ? [added] : []),
    stage(`note-${name}`, `note which member ${name} is`, 'parallel', starting.slice(0, 1).flat()),
    stage(`start-${name}`, `start ${name}`, 'parallel', starting.slice(1).flat()),
    stage(`join-${name}`, `wait for ${name}, and give it its vote`, 'operator', steps),
    stage(`mark-${name}`, `mark ${name} as a member`, 'parallel', markDrafts(view, joining)),
  ];
}

/**
 * The note, then the start: needed whatever the facts of now say, where something of an earlier member is taken away before. The note comes in a stage of its
 * own, because the start adds to what it is judged by.
 */
function startDrafts(
  view: View,
  { controller, arrival, leftovers }: Joining,
  cleaned: readonly string[],
): readonly (readonly Draft[])[] {
  const { unit } = view.cluster;
  const { name: host } = controller;
  const note: Candidate = { kind: 'record.attempt', host, member: host };
  const start: readonly Candidate[] = [
    { kind: 'unit.enable', host, unit },
    { kind: 'unit.start', host, unit, state: 'existing', files: [] },
  ];
  const known = arrival === 'listed' && leftovers.length === 0 && !cleaned.includes(host);
  const drafts = (candidates: readonly Candidate[]): readonly Draft[] =>
    known
      ? neededDrafts(view, candidates)
      : candidates.map((each): Draft => ({ ...each, why: 'it joins the cluster' }));
  return [view.facts.hosts[host]?.data.wal === true && known ? [] : drafts([note]), drafts(start)];
}

function joinSteps(view: View, { controller, arrival }: Joining, stallMs: number): readonly Draft[] {
  const { name: member } = controller;
  const host = OPERATOR;
  const proofs: readonly Draft[] = [
    {
      ...{ kind: 'certificates.prove', host, members: [member] },
      what: 'it serves its own certificates, and it and the others take each other as peers',
      why: 'only what was seen to hold is marked',
    },
    { kind: 'data.prove', host, why: 'what it copied is what the others have' },
  ];
  if (arrival === 'voter') return isMarked(view, controller) ? [] : proofs;
  return [
    { kind: 'member.await', host, member, stallMs, why: 'a voter that lags costs the others their majority' },
    { kind: 'member.promote', host, member, stallMs, why: 'a learner has no vote' },
    ...proofs,
  ];
}

function markDrafts(view: View, { controller, arrival }: Joining): readonly Draft[] {
  const { name: host } = controller;
  if (arrival === 'voter' && isMarked(view, controller)) return [];
  return [{ kind: 'marker.put', host, unit: view.cluster.unit, files: [], why: 'it is a member then' }];
}

function isMarked({ facts, identity }: View, { name }: Controller): boolean {
  const marker = facts.hosts[name]?.records.marker;
  return marker !== undefined && marker.uuid === identity?.uuid && marker.memberId === identity.memberIds[name];
}

/**
 * Configurations that differ from the inventory's in nothing but lines that etcd ignores once it has data: who the members are. What differs otherwise needs
 * a turn of its own, and is left for that. `coming`: hosts that the plan gives a configuration for their first start.
 */
export function memberFiles(view: View, coming: JoinWish | undefined): Stage {
  const { cluster, facts, desired } = view;
  const drafts = cluster.controllers.flatMap(({ name }): readonly Draft[] => {
    const file = desired[name]?.files.find(({ path }) => path === configFile(cluster));
    if (file === undefined || facts.hosts[name] === undefined) return [];
    const first = coming?.names.includes(name) ? firstConfig(view, name, coming) : undefined;
    const before = first ?? facts.hosts[name]?.texts[file.path];
    const wanted = fillToken(file.content, view);
    if (before === undefined || before === wanted || comparableConfig(before) !== comparableConfig(wanted)) return [];
    return [
      {
        kind: 'file.put',
        host: name,
        ...file,
        why: 'its list of members is another; etcd reads it without data alone',
      },
    ];
  });
  return stage('files', 'write down who the members are', 'parallel', drafts);
}

function firstConfig(view: View, name: string, wish: JoinWish): string | undefined {
  const joining = joiningOf(view, name, wish);
  if (!isNew(joining)) return undefined;
  const [put] = joinConfig(view, joining.controller, wish);
  return put?.kind === 'file.put' ? fillToken(put.content, view) : undefined;
}
