/** The load of clients with and without TLS on one cluster: of each kind a writer over connections that last, one that dials for each request, and a linearizable reader. */
import { randomUUID } from 'node:crypto';
import type { Stage } from '../stage.ts';
import { isolate, removeEmptyGroups } from './isolate.ts';
import { keptFolder, materialIn } from './on-stage.ts';
import type { ClientOrder } from './order.ts';
import { type Load, startLoad } from './start.ts';

/** Their names, for {@link Load.retire}. */
export const clientsOfBoth = ['persistent', 'fresh', 'reader'] as const;

/** `TLS`: with what {@link keptFolder} holds. At the end every store is read with that. */
export async function loadOf(stage: Stage, kind: 'plaintext' | 'TLS'): Promise<Load> {
  const kept = materialIn(keptFolder(stage));
  const client = (
    name: (typeof clientsOfBoth)[number],
    perSecond: number,
    rest: Partial<ClientOrder>,
  ): ClientOrder => ({
    ...{ name, perSecond, does: 'write', connections: 'persistent', material: kind === 'TLS' ? kept : kind },
    ...rest,
  });
  const load = await startLoad({
    endpoints: stage.lab.hosts.map(({ name, ipv4 }) => ({ name, address: ipv4, port: 2379 })),
    prefix: `/${kind}/${randomUUID()}/`,
    clients: [
      client('persistent', 40, {}),
      client('fresh', 5, { connections: 'fresh' }),
      client('reader', 20, { does: 'read' }),
    ],
    verifyWith: kept,
    ...{ attemptMs: 2_000, boundMs: 5_000, lifeMs: 30 * 60_000 },
  });
  await removeEmptyGroups();
  await isolate(stage, [load.pid]);
  return load;
}
