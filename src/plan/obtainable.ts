/** Whether the releases of an upgrade can be had from where the inventory says. Pure. */
import { QuorateError } from '../domain/errors.ts';
import type { Hop } from '../domain/version-path.ts';
import type { View } from './view.ts';

/** @throws QuorateError refused: a source that holds one release alone */
export function requireObtainable({ cluster }: View, hops: readonly Hop[]): void {
  const { binaries } = cluster;
  if (hops.length === 0) return;
  if (binaries.kind === 'system') {
    throw new QuorateError(
      'refused',
      `binaries lie on the hosts in ${binaries.directory}, where something else puts them: quorate has no ${hops[0]?.to} to switch to`,
      {
        hint: 'set binaries.source to release, mirror or file; a folder of its own for each version is then made beside it',
      },
    );
  }
  if (binaries.kind !== 'file' || !/\.(tar\.gz|tgz)$/.test(binaries.path)) return;
  const missing = hops.filter(({ to }) => !binaries.path.includes(`v${to}`)).map(({ to }) => to);
  if (missing.length === 0) return;
  throw new QuorateError(
    'refused',
    `binaries.path names one tarball, ${binaries.path}, and ${missing.join(', ')} cannot be had from it`,
    {
      hint: 'name the folder that holds a tarball of each version (etcd-vVERSION-linux-ARCHITECTURE.tar.gz)',
    },
  );
}
