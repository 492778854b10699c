/** Which of etcd's releases a machine runs. */
import type { Architecture } from './cluster.ts';
import { QuorateError } from './errors.ts';

/** `uname -m` → the name in etcd's releases (etcd-io/etcd scripts/build-binary.sh builds no others for Linux). */
const architectures: Readonly<Record<string, Architecture>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  ppc64le: 'ppc64le',
  s390x: 's390x',
};

/** The architecture of a host by its `uname -m`; throws QuorateError `refused` where etcd is not released for it. */
export function requireArchitecture(machine: string, host: string): Architecture {
  const architecture = Object.hasOwn(architectures, machine) ? architectures[machine] : undefined;
  if (architecture !== undefined) return architecture;
  const known = Object.keys(architectures).join(', ');
  throw new QuorateError(
    'refused',
    `${host}: etcd is not released for ${machine || 'an unknown machine'} (only for ${known})`,
    {
      host,
      hint: 'run this member on another machine, or install binaries yourself and set binaries: {source: system, directory: …}',
    },
  );
}
