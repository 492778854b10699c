/** Modes and owners of a member's key and certificate files. Pure. */
import type { Cluster } from '../domain/cluster.ts';
import type { FileFact, HostFacts } from '../domain/facts.ts';
import { keyOwnership } from '../domain/generation.ts';
import { pkiLink } from '../domain/layout.ts';
import type { LeafPurpose } from '../domain/step.ts';
import { critical, type Finding, warning } from './certificate-row.ts';

interface Wanted {
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** What is wrong with the files of one purpose; a key that others can read is critical. */
export function modeFindings(cluster: Cluster, host: HostFacts, purpose: LeafPurpose): readonly Finding[] {
  const base = `${pkiLink(cluster)}/${purpose}`;
  const key = host.files[`${base}.key`];
  const absent = key === undefined || key.kind === 'absent';
  return [
    ...(absent ? [critical('key-missing', `${purpose}.key is missing`)] : keyFindings(cluster, purpose, key)),
    ...differs(`${purpose}.crt`, host.files[`${base}.crt`], { mode: '0644', owner: 'root', group: 'root' }),
  ];
}

function keyFindings({ user }: Cluster, purpose: LeafPurpose, key: FileFact): readonly Finding[] {
  const name = `${purpose}.key`;
  if (key.kind === 'file' && (Number.parseInt(key.mode, 8) & 0o007) !== 0) {
    return [critical('mode', `${name} can be read by everybody (mode ${key.mode})`)];
  }
  return differs(name, key, keyOwnership(purpose, user));
}

function differs(name: string, file: FileFact | undefined, wanted: Wanted): readonly Finding[] {
  if (file === undefined || file.kind === 'absent') return [];
  if (file.kind !== 'file') return [warning('mode', `${name} is no plain file`)];
  const found = `${file.mode} ${file.owner}:${file.group}`;
  const want = `${wanted.mode} ${wanted.owner}:${wanted.group}`;
  return found === want ? [] : [warning('mode', `${name} is ${found}, not ${want}`)];
}
