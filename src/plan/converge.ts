/**
 * The stages that bring members of a live cluster to what is wanted: names that nothing refers to in parallel, then one turn a member. Every verb that changes
 * running members makes its stages here. Pure.
 */
import { currentGeneration, trustWish } from '../domain/generation.ts';
import { binaryDir, configFile, unitFile } from '../domain/layout.ts';
import { type Stage, stage } from '../domain/plan.ts';
import { comparableConfig, type RunWish } from '../domain/run-record.ts';
import { type Draft, OPERATOR } from '../domain/step.ts';
import { adminRenewal } from './admin-renewal.ts';
import {
  type GenerationDrafts,
  generationDrafts,
  generationsDirectory,
  pruneDrafts,
  renewingTurn,
} from './generation.ts';
import { sha256 } from './hash.ts';
import { requireListsRecorded } from './host-lists.ts';
import {
  accountCandidates,
  binaryCandidates,
  type Candidate,
  linkCandidates,
  neededDrafts,
  ownerCandidates,
  packageCandidates,
  settingCandidates,
  unitCandidates,
} from './host-steps.ts';
import { requireNotReopened, requireOwnCertificates } from './live-refusals.ts';
import { moveCandidates } from './moves.ts';
import { releaseFetches } from './releases.ts';
import { listRefresh } from './revocation-refresh.ts';
import type { View } from './view.ts';

/** What of a member can be brought to what is wanted: etcd's settings; account, folders and unit; its binaries; keys, certificates and trust. */
export const convergeParts = ['config', 'units', 'version', 'certs'] as const;
export type ConvergePart = (typeof convergeParts)[number];

/** What is to be brought where. The view's cluster and files say what is wanted: for another version, a view of that. */
export interface ConvergeWish {
  /** Names of members whose hosts were observed. */
  readonly members: readonly string[];
  readonly parts: readonly ConvergePart[];
  /** The process of this invocation ends ('' for none), whatever it runs with: by member. */
  readonly ends?: Readonly<Record<string, string>>;
  /** Begins the stages' IDs where a plan has several of them: `3.6` gives `3.6-prepare`. */
  readonly name?: string;
  /** Instead of "one member after another". */
  readonly title?: string;
  /** Whether members move though certificates are not brought: they have them. What they serve is proved at the end. */
  readonly moves?: boolean;
}

/**
 * Stages in the order in which they run, each with what is still needed, some perhaps without steps: operator, prepare, issue, put, roll, prove, prune.
 * A turn that changes nothing which a process reads at its start has no restart; one whose start record differs from what is wanted has one, be its files
 * as wanted or not.
 */
export function convergeStages(view: View, wish: ConvergeWish): readonly Stage[] {
  requireConvergible(view, wish);
  const lists = wish.parts.includes('certs') ? listRefresh(view.pki, view.now) : { drafts: [], pki: view.pki };
  const then = { ...view, pki: lists.pki };
  const turns = [...wish.members].sort().map((host) => memberTurn(then, host, wish));
  const renewed = turns.some((each) => each.generation !== undefined);
  const of = (drafts: (turn: MemberTurn) => readonly Draft[] | undefined): readonly Draft[] =>
    turns.flatMap((turn) => drafts(turn) ?? []);
  const prune = of((turn) => turn.prune);
  const proof = proofs(wish, renewed || prune.length > 0 || wish.moves === true);
  const make = (id: string, title: string, mode: Stage['mode'], drafts: readonly Draft[]): Stage =>
    stage(wish.name === undefined ? id : `${wish.name}-${id}`, title, mode, drafts);
  const [prepare, issue] = [of((turn) => turn.prepare), of((turn) => turn.generation?.issue)];
  const [put, roll] = [of((turn) => turn.generation?.put), of((turn) => turn.steps)];
  return [
    make('operator', 'with the operator', 'operator', operatorDrafts(view, wish, renewed ? lists.drafts : [])),
    make('prepare', 'prepare beside what is in use', 'parallel', prepare),
    make('issue', 'issue certificates', 'operator', issue),
    make('put', 'put the certificates beside their keys', 'parallel', put),
    make('roll', wish.title ?? 'one member after another', 'rolling', roll),
    make('prove', 'prove what is served', 'operator', proof),
    make('prune', 'remove what was replaced', 'parallel', prune),
  ];
}

/** @throws QuorateError refused: what would undo something that hosts have and the inventory, or the state directory, does not know */
function requireConvergible(view: View, { parts, members, moves }: ConvergeWish): void {
  const [config, certs] = [parts.includes('config'), parts.includes('certs')];
  if (config || certs) requireListsRecorded(view);
  if (config) requireNotReopened(view);
  if (config && !certs && moves !== true) requireOwnCertificates(view, members);
}

function operatorDrafts(view: View, wish: ConvergeWish, lists: readonly Draft[]): readonly Draft[] {
  return [
    ...lists,
    ...(wish.parts.includes('certs') ? [adminRenewal(view).draft ?? []].flat() : []),
    ...(wish.parts.includes('version') ? releaseFetches(view, wish.members) : []),
  ];
}

interface MemberTurn {
  readonly prepare: readonly Draft[];
  readonly generation: GenerationDrafts | undefined;
  /** The turn itself, in the order in which it happens on the host. */
  readonly steps: readonly Draft[];
  readonly prune: readonly Draft[];
}

function memberTurn(view: View, host: string, { parts, ends, moves = false }: ConvergeWish): MemberTurn {
  const has = (part: ConvergePart): boolean => parts.includes(part);
  const turn = has('certs') ? renewingTurn(view, host, { keys: 'make' }) : undefined;
  const generation = turn && generationDrafts(view, turn);
  const needed = (wanted: boolean, candidates: readonly Candidate[]): readonly Draft[] =>
    wanted ? neededDrafts(view, candidates) : [];
  const { unit } = view.cluster;
  return {
    generation,
    prepare: [
      ...needed(has('units'), accountCandidates(view, host)),
      ...needed(turn !== undefined && !has('units'), [generationsDirectory(view, host)]),
      ...needed(has('version'), binaryCandidates(view, host)),
      ...(generation?.prepare ?? []),
    ],
    steps: [
      ...needed(has('config') && (has('certs') || moves), moveCandidates(view, host)),
      ...needed(has('units'), packageCandidates(view, host)),
      ...(generation?.switch ?? []),
      ...needed(has('config'), settingCandidates(view, host)),
      ...needed(has('units'), [...unitCandidates(view, host), { kind: 'unit.enable', host, unit }]),
      ...needed(has('version'), linkCandidates(view, host)),
      ...needed(has('units'), ownerCandidates(view, host)),
      ...neededDrafts(view, restartCandidates(view, host, { parts, moves, end: ends?.[host] })),
    ],
    prune: generation?.prune ?? needed(has('certs'), prunes(view, host)),
  };
}

/** Old generations go once the one in use has been proved: an earlier run may have ended before that. */
function prunes(view: View, host: string): readonly Draft[] {
  return pruneDrafts(view, { host, number: currentGeneration(view.cluster, view.facts.hosts[host]) });
}

/** The one restart of a turn; none where the parts that are brought say nothing of the process. */
function restartCandidates(
  view: View,
  host: string,
  {
    parts,
    moves,
    end,
  }: { readonly parts: readonly ConvergePart[]; readonly moves: boolean; readonly end: string | undefined },
): readonly Candidate[] {
  if (parts.length === 0 && end === undefined) return [];
  const { cluster, pki } = view;
  return [
    {
      ...{ kind: 'unit.restart', host, unit: cluster.unit, wish: runWish(view, host, parts), ends: end ?? '' },
      ...(parts.includes('certs') || moves ? { trust: trustWish(pki) } : {}),
      ...(parts.includes('version') ? { binary: `${binaryDir(cluster)}/etcd` } : {}),
      outage: false,
    },
  ];
}

/** What the files say of the process that reads them at its start. */
function runWish({ cluster, desired }: View, host: string, parts: readonly ConvergePart[]): RunWish {
  const contentAt = (path: string): string | undefined =>
    desired[host]?.files.find((each) => each.path === path)?.content;
  const config = parts.includes('config') ? contentAt(configFile(cluster)) : undefined;
  const unit = parts.includes('units') ? contentAt(unitFile(cluster)) : undefined;
  return {
    ...(config === undefined ? {} : { configSha256: sha256(comparableConfig(config)) }),
    ...(unit === undefined ? {} : { unitSha256: sha256(unit) }),
  };
}

function proofs({ members }: ConvergeWish, due: boolean): readonly Draft[] {
  if (!due) return [];
  const what = 'the new certificates are served, and clients and peers accept them';
  const why = 'only then old keys are removed';
  return [{ kind: 'certificates.prove', host: OPERATOR, members: [...members].sort(), what, why }];
}
