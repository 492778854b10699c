/** What a run that ended before its last stage left of the members' own files. Pure. */
import type { MemberFact } from '../domain/facts.ts';
import { type Stage, stage } from '../domain/plan.ts';
import { memberFiles } from './member-join.ts';
import type { View } from './view.ts';

/** {@link memberFiles} that a run did not come to: only where the cluster's list is the inventory's already. */
export function leftFiles(view: View, list: readonly MemberFact[]): Stage {
  const urls = (all: readonly (readonly string[])[]): string => all.flat().sort().join();
  const wanted = urls(view.cluster.controllers.map((each) => [each.peerUrl]));
  const settled = urls(list.map((each) => each.peerUrls)) === wanted;
  return settled ? memberFiles(view, undefined) : stage('files', '', 'parallel', []);
}
