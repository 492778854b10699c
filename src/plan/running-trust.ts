/** Whom a running process trusts: its start record has a sha256, and the bundle with that sha256 still lies on the host until it is pruned. Pure. */
import { createHash } from 'node:crypto';
import type { HostFacts } from '../domain/facts.ts';
import type { Use } from '../domain/pki-view.ts';
import { splitPem, tryParse } from '../pki/inspect.ts';

const files: Readonly<Record<Use, string>> = { client: '/ca.crt', peer: '/peer-ca.crt' };

/** The bundle that the process was started with, of those on its host and `others`; undefined where none of them is it. */
export function runningBundle(
  { run, certificates }: Pick<HostFacts, 'run' | 'certificates'>,
  use: Use,
  others: readonly string[] = [],
): string | undefined {
  const started = use === 'client' ? run?.caSha256 : run?.peerCaSha256;
  const own = Object.entries(certificates).flatMap(([path, text]) => (path.endsWith(files[use]) ? [text] : []));
  return started === undefined ? undefined : [...own, ...others].find((each) => sha256(each) === started);
}

/** Whether every authority that the process trusts, for clients or for peers, has expired: it accepts nobody any more, whatever lies on disk. */
export function runsWithExpiredTrust(host: Pick<HostFacts, 'run' | 'certificates'>, now: number): boolean {
  return (['client', 'peer'] as const).some((use) => {
    const ends = splitPem(runningBundle(host, use) ?? '').map((pem) => tryParse(pem)?.facts.notAfter ?? now);
    return ends.length > 0 && ends.every((each) => each <= now);
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
