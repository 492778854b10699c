/** A lab's bridge on this machine, and the choice of its addresses. */
import { access, readdir } from 'node:fs/promises';
import * as z from 'zod/mini';
import { QuorateError } from '../domain/errors.ts';
import { chooseSubnet, gatewayOf, type Subnet } from './addresses.ts';
import { closeFirewall, openFirewall } from './firewall.ts';
import { withFolderLock } from './lock.ts';
import { runProgram, tryProgram } from './program.ts';

const addressesSchema = z.array(
  z.object({ addr_info: z.array(z.object({ local: z.optional(z.string()), prefixlen: z.optional(z.number()) })) }),
);
const routesSchema = z.array(z.object({ dst: z.string() }));

/** The bridge that a lab of this id has: at most 15 characters, as Linux wants it. */
export function bridgeName(id: string): string {
  return `quorate-${id}`;
}

/**
 * Chooses a subnet, lets `record` write it down, and only then makes the bridge with it. Labs that start at the same
 * time on this machine wait for each other here, so that each sees the other's addresses.
 */
export async function makeBridge(id: string, record: (subnet: Subnet) => Promise<void>): Promise<Subnet> {
  return withFolderLock('/run/lock/quorate-lab', 60_000, async () => {
    const subnet = chooseSubnet(await takenNetworks(), Number.parseInt(id, 16));
    await record(subnet);
    await raiseBridge(id, subnet);
    return subnet;
  });
}

/** Makes the bridge with known addresses where it is missing, as after a reboot of this machine. */
export async function raiseBridge(id: string, subnet: Subnet): Promise<void> {
  await openFirewall(bridgeName(id));
  if (await bridgeExists(id)) return;
  const name = bridgeName(id);
  const gateway = gatewayOf(subnet);
  const lines = [
    `link add ${name} type bridge`,
    `addr add ${gateway.ipv4}/24 dev ${name}`,
    ...((await hasIPv6()) ? [`addr add ${gateway.ipv6}/64 dev ${name} nodad`] : []),
    `link set ${name} up`,
  ];
  await runProgram(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Removes a lab's bridge, and what is left of its hosts' cables. */
export async function removeBridge(id: string): Promise<void> {
  await closeFirewall(bridgeName(id));
  await removeCables(id);
  if (await bridgeExists(id)) await runProgram(['ip', 'link', 'delete', bridgeName(id)]);
}

/** A cable goes with its host's network namespace, which Linux clears only some time after the last process. */
async function removeCables(id: string): Promise<void> {
  const ours = (name: string): boolean => name.startsWith(`vb-q${id}-`);
  for (const cable of (await readdir('/sys/class/net')).filter(ours)) {
    const deleted = await tryProgram(['ip', 'link', 'delete', cable]);
    if (deleted.status !== 0 && (await exists(`/sys/class/net/${cable}`))) {
      throw new QuorateError('step-failed', `the cable ${cable} does not go: ${deleted.stderr.trim()}`);
    }
  }
}

/** Whether the lab's bridge is there. */
export async function bridgeExists(id: string): Promise<boolean> {
  return exists(`/sys/class/net/${bridgeName(id)}`);
}

/** Plugs a host's cable (its end on the bridge) in or out. */
export async function setLink(machine: string, state: 'up' | 'down'): Promise<void> {
  await runProgram(['ip', 'link', 'set', `vb-${machine}`, state]);
}

async function takenNetworks(): Promise<string[]> {
  const addresses = addressesSchema.parse(JSON.parse(await runProgram(['ip', '-json', '-4', 'address', 'show'])));
  const routes = await tryProgram(['ip', '-json', '-4', 'route', 'show', 'table', 'all']);
  const destinations = routes.status === 0 ? routesSchema.parse(JSON.parse(routes.stdout || '[]')) : [];
  return [
    ...addresses.flatMap((link) => link.addr_info.map((info) => `${info.local ?? ''}/${info.prefixlen ?? 32}`)),
    ...destinations.map((route) => route.dst),
  ];
}

async function hasIPv6(): Promise<boolean> {
  return exists('/proc/net/if_inet6');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
