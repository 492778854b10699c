/** Bringing revocation lists into force: a new generation that holds them, and once for each port a restart with a configuration that names them. Pure. */
import { createHash } from 'node:crypto';
import { QuorateError } from '../domain/errors.ts';
import { currentGeneration } from '../domain/generation.ts';
import { configFile } from '../domain/layout.ts';
import type { Use } from '../domain/pki-view.ts';
import { dropEmptyStages, type Plan, type Stage, stage } from '../domain/plan.ts';
import { comparableConfig } from '../domain/run-record.ts';
import { type Draft, type FilePut, leafPurposes, OPERATOR } from '../domain/step.ts';
import { type GenerationDrafts, generationDrafts, generationsDirectory, pruneDrafts } from './generation.ts';
import { flawsOf, wishOf } from './generation-wish.ts';
import { requireListsRecorded } from './host-lists.ts';
import { neededDrafts } from './host-steps.ts';
import { requireNoRotation, requireRotatable } from './rotate-refusals.ts';
import { planBase, type View } from './view.ts';

/**
 * What is left until every member that can be reached refuses what the store has revoked, and the proof of it. `restart`: every member is restarted, so
 * that connections opened with a revoked certificate end too.
 * @throws QuorateError refused where something else is under way that a list must not be mixed with
 */
export function planRevocation(view: View, { restart }: { readonly restart: boolean }): Plan {
  const members = view.cluster.controllers
    .map(({ name }) => name)
    .filter((name) => view.facts.hosts[name] !== undefined);
  requireRotatable(view, members);
  requireListsRecorded(view);
  requireNoRotation(view, 'certs revoke');
  const uses = (['client', 'peer'] as const).filter((use) => view.pki.crls?.[use] !== undefined);
  const plan = planBase(view, 'certs revoke');
  if (uses.length === 0)
    return { ...plan, stages: [], reasons: [{ host: OPERATOR, reason: 'nothing was ever revoked' }] };
  const turns = members.map((name) => turnOf(view, name, restart));
  return dropEmptyStages({
    ...plan,
    stages: stagesOf(view, turns, uses),
    reasons: [],
    warnings: [...plan.warnings, ...absentWarnings(view, members)],
  });
}

/** The plan less its proof, which is never done with. */
export function revocationLeft(view: View): Plan {
  const again = planRevocation(view, { restart: false });
  return { ...again, stages: again.stages.filter(({ id }) => id !== 'prove') };
}

interface MemberTurn {
  readonly host: string;
  readonly serving: boolean;
  readonly drafts: GenerationDrafts | undefined;
  /** The configuration that names the lists, and the restart that reads it. */
  readonly enforce: readonly Draft[];
}

function turnOf(view: View, host: string, restart: boolean): MemberTurn {
  const wish = wishOf(view, () => 'carry');
  const flaws = flawsOf(view, host, wish);
  const flawed = leafPurposes.filter((each) => flaws.leaves[each] !== undefined);
  if (flawed.length > 0) throw unsound(host, flawed[0], flaws.leaves[flawed[0] ?? 'server']);
  const number = currentGeneration(view.cluster, view.facts.hosts[host]) + 1;
  const drafts = flaws.trust === undefined ? undefined : generationDrafts(view, { ...wish, host, number, why: {} });
  const serving = view.facts.hosts[host]?.unit.activeState === 'active';
  return { host, serving, drafts, enforce: enforceDrafts(view, host, { serving, restart }) };
}

function enforceDrafts(
  view: View,
  host: string,
  { serving, restart }: { readonly serving: boolean; readonly restart: boolean },
): readonly Draft[] {
  const path = configFile(view.cluster);
  const file = view.desired[host]?.files.find((each) => each.path === path);
  if (file === undefined) return [];
  const put = neededDrafts(view, [{ kind: 'file.put', host, ...file }]);
  if (put.length > 0) requireListsAlone(view, host, file);
  if (!serving) return put;
  const { unit } = view.cluster;
  const ends = restart ? (view.facts.hosts[host]?.unit.invocationId ?? '') : '';
  const configSha256 = createHash('sha256').update(comparableConfig(file.content)).digest('hex');
  const wish = { configSha256 };
  return [...put, ...neededDrafts(view, [{ kind: 'unit.restart', host, unit, wish, ends, outage: false }])];
}

/** Drift that was there before must not come into force by the way. */
function requireListsAlone(view: View, host: string, { path, content }: FilePut): void {
  const found = view.facts.hosts[host]?.texts[path] ?? '';
  if (withoutLists(found) === withoutLists(content)) return;
  throw new QuorateError(
    'refused',
    `${host}: its configuration differs from the inventory in more than the revocation list`,
    {
      host,
      hint: 'quorate plan -i FILE shows it: bring the two together first',
    },
  );
}

function withoutLists(config: string): string {
  return comparableConfig(config)
    .split('\n')
    .filter((line) => line !== '' && !/^(?:(?:Client|Peer)TLSInfo: |# Revoked certificates,)/.test(line))
    .join('\n');
}

function stagesOf(view: View, turns: readonly MemberTurn[], uses: readonly Use[]): readonly Stage[] {
  const serving = turns.filter((each) => each.serving);
  const stopped = turns.filter((each) => !each.serving);
  const switched = ({ drafts, enforce }: MemberTurn): readonly Draft[] => [...(drafts?.switch ?? []), ...enforce];
  const changed = turns.filter(({ drafts }) => drafts !== undefined);
  const members = serving.map(({ host }) => host);
  const why = 'a list is in force only where a handshake shows it';
  const prove: Draft = { kind: 'revocation.prove', host: OPERATOR, members, uses, why };
  const restarts = serving.some(({ enforce }) => enforce.some(({ kind }) => kind === 'unit.restart'));
  return [
    stage('prepare', 'prepare new generations beside those in use', 'parallel', [
      ...changed.flatMap(({ host }) => neededDrafts(view, [generationsDirectory(view, host)])),
      ...changed.flatMap(({ drafts }) => drafts?.prepare ?? []),
    ]),
    stage('put', 'put the lists beside keys and certificates', 'parallel', [
      ...changed.flatMap(({ drafts }) => drafts?.put ?? []),
      ...stopped.flatMap(switched),
    ]),
    stage(
      'switch',
      `switch over, ${restarts ? 'one member after another' : 'without a restart'}`,
      'rolling',
      serving.flatMap(switched),
    ),
    stage('prove', 'prove that it is in force', 'operator', members.length === 0 ? [] : [prove]),
    stage(
      'prune',
      'remove what was replaced',
      'parallel',
      serving.flatMap(({ host, drafts }) => {
        const current = currentGeneration(view.cluster, view.facts.hosts[host]);
        return pruneDrafts(view, { host, number: drafts === undefined ? current : current + 1 });
      }),
    ),
  ];
}

function unsound(host: string, purpose = '', problem = ''): QuorateError {
  return new QuorateError('refused', `${host}: its ${purpose} certificate is not as it should be: ${problem}`, {
    host,
    hint: 'quorate certs rotate --due -i FILE mends it, and brings the lists along',
  });
}

function absentWarnings({ cluster }: View, members: readonly string[]): readonly string[] {
  return cluster.controllers
    .filter(({ name }) => !members.includes(name))
    .map(
      ({ name }) =>
        `${name}: cannot be reached: what is revoked is still good there; run quorate certs revoke again once it can`,
    );
}
