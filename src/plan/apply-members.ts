/** The part of apply that changes who is a member: controllers that the cluster lacks come, those that are to leave go once they are named. Pure. */
import { QuorateError } from '../domain/errors.ts';
import { entryOf, hostsOf } from '../domain/membership.ts';
import { type Plan, type Stage, stage } from '../domain/plan.ts';
import { serves } from '../domain/voters.ts';
import { newcomersOf, planAdd } from './member-add.ts';
import { leftFiles } from './member-files.ts';
import { notedId } from './member-join.ts';
import { planRemove } from './member-remove.ts';
import { requireList } from './member-targets.ts';
import type { View } from './view.ts';

export interface MembersWish {
  /** Names of controllers that may come. */
  readonly chosen: readonly string[];
  /** Whether the members' files are brought by the same plan. */
  readonly files: boolean;
  /** Names of departing hosts whose members are removed. */
  readonly remove: readonly string[];
  readonly stallMs: number;
}

export interface MemberChanges {
  /** Before anything else: who is down stands in the way of those who come. */
  readonly before: readonly Stage[];
  readonly behind: readonly Stage[];
  readonly warnings: readonly string[];
}

/** @throws QuorateError refused (a member that is to leave and was not named among others), usage, unreachable */
export function memberChanges(view: View, wish: MembersWish): MemberChanges {
  requireNamed(view, wish.remove);
  const dead = wish.remove.filter((name) => !serves(view.facts, name));
  const gone = removing(view, dead);
  const then = withoutMembers(view, dead);
  const names = newcomersOf(then).filter((each) => wish.chosen.includes(each));
  const come = names.length === 0 ? undefined : planAdd(then, { members: names, stallMs: wish.stallMs });
  const go = removing(
    view,
    wish.remove.filter((name) => !dead.includes(name)),
  );
  const kept = (plan: Plan | undefined, prefix: string, hosts: readonly string[]): readonly Stage[] =>
    (plan?.stages ?? []).flatMap((each) => renamed(each, { prefix, only: wish.files ? hosts : undefined }));
  // What a run that ended before its last stage left, where no turn brings it.
  const alone = wish.files || come !== undefined || go !== undefined ? [] : [leftFiles(view, requireList(view))];
  return {
    before: kept(gone, 'gone', []),
    behind: [...kept(come, 'come', names), ...kept(go, 'go', []), ...alone],
    warnings: [gone, come, go].flatMap((each) => each?.warnings ?? []),
  };
}

function removing(view: View, members: readonly string[]): Plan | undefined {
  return members.length === 0 ? undefined : planRemove(view, { members });
}

/** A stage of another plan; that with the members' files for these hosts alone, where the turns of the others bring theirs. */
function renamed(
  { id, title, mode, steps }: Stage,
  { prefix, only }: { readonly prefix: string; readonly only: readonly string[] | undefined },
): readonly Stage[] {
  const left = id === 'files' && only !== undefined ? steps.filter(({ host }) => only.includes(host)) : steps;
  return left.length === 0 ? [] : [stage(`${prefix}-${id}`, title, mode, left)];
}

/** What is to leave goes by its name alone: a bad merge shrinks no cluster. */
function requireNamed(view: View, named: readonly string[]): void {
  const { cluster, facts } = view;
  const departing = (cluster.departing ?? []).map((each) => each.name);
  const wrong = named.find((name) => !departing.includes(name));
  if (wrong !== undefined) {
    throw new QuorateError('usage', `--remove ${wrong}: the inventory does not want it to leave`, {
      hint: `write state: absent below controllers.${wrong} first; or take it out without apply: quorate member remove ${wrong} -i FILE`,
    });
  }
  const list = requireList(view);
  const there = hostsOf(cluster).filter((each) => {
    if (!departing.includes(each.name) || named.includes(each.name)) return false;
    const host = facts.hosts[each.name];
    return entryOf(facts, list, each) !== undefined || (host !== undefined && notedId(host) !== undefined);
  });
  if (there.length === 0) return;
  const names = there.map((each) => each.name);
  throw new QuorateError(
    'refused',
    `${names.join(', ')}: to leave the cluster (state: absent), and removed only by name`,
    {
      hint: `quorate apply --remove ${names.join(' ')} -i FILE`,
    },
  );
}

/** As the cluster's list will be. */
function withoutMembers(view: View, names: readonly string[]): View {
  const urls = hostsOf(view.cluster)
    .filter((each) => names.includes(each.name))
    .map((each) => each.peerUrl);
  const endpoints = Object.entries(view.facts.endpoints).map(
    ([name, each]) =>
      [
        name,
        { ...each, members: each.members.filter(({ peerUrls }) => !peerUrls.some((url) => urls.includes(url))) },
      ] as const,
  );
  return { ...view, facts: { ...view.facts, endpoints: Object.fromEntries(endpoints) } };
}
