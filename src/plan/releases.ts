/** Releases that the operator fetches before hosts get them. Pure. */
import { type Draft, OPERATOR } from '../domain/step.ts';
import { binaryCandidates, describeSource, neededDrafts } from './host-steps.ts';
import type { View } from './view.ts';

/** One step an architecture that one of these hosts lacks; none where hosts fetch for themselves, or have their binaries already. */
export function releaseFetches(view: View, hosts: readonly string[]): readonly Draft[] {
  const { binaries, version } = view.cluster;
  if (binaries.kind === 'system' || (binaries.kind !== 'file' && binaries.via === 'host')) return [];
  const missing = hosts
    .flatMap((host) => neededDrafts(view, binaryCandidates(view, host)))
    .flatMap((draft) => (draft.kind === 'binary.install' ? [draft.architecture] : []));
  return [...new Set(missing)].sort().map((architecture) => ({
    kind: 'release.fetch',
    host: OPERATOR,
    version,
    architecture,
    from: describeSource(view.cluster),
    why: 'hosts lack it',
  }));
}
