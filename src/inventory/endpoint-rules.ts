/** Rules about addresses and ports: every member must be reachable by the others, under an address of its own. */
import { canonicalAddress, isLoopback, parseIp } from './address.ts';
import { findEndpoints } from './endpoints.ts';
import type { Finding } from './explain.ts';
import type { Parts } from './schema.ts';
import type { ControllerSettings } from './schema-controllers.ts';

/** Everything that keeps members from each other. */
export function checkEndpoints(parts: Parts): readonly Finding[] {
  const controllers = Object.entries(parts.controllers ?? {});
  const alone = controllers.length === 1;
  const twins = [
    ...checkTwins(controllers, 'address', (controller) => sshEndpoint(controller, parts)),
    ...checkTwins(controllers, 'advertiseAddress', (controller) => memberEndpoint(controller, parts, 'client')),
    ...checkTwins(controllers, 'advertiseAddress', (controller) => memberEndpoint(controller, parts, 'peer')),
  ];
  return [
    ...controllers.flatMap(([name, controller]) => [
      ...checkAddresses(name, controller),
      ...checkLoopback(name, controller, alone),
      ...checkWildcards(name, controller),
      ...checkPorts(name, controller, parts),
    ]),
    ...firstOfEach(twins),
  ];
}

function checkAddresses(name: string, controller: ControllerSettings): readonly Finding[] {
  const path = ['controllers', name];
  if (
    controller.address === undefined &&
    (controller.transport !== 'local' || controller.privateAddress === undefined)
  ) {
    const remedy =
      controller.transport === 'local' ? 'write the address that the others dial' : 'write address: 10.0.0.1';
    return [{ path: [...path, 'address'], message: `is missing (${remedy})`, subject: 'none' }];
  }
  if (findEndpoints(controller, undefined).listenAddresses !== undefined) return [];
  const message = 'is a DNS name, and etcd binds IP addresses only (write privateAddress: 10.0.0.1 too)';
  return [{ path: [...path, 'address'], message, subject: 'value' }];
}

function checkLoopback(name: string, controller: ControllerSettings, alone: boolean): readonly Finding[] {
  const { advertiseAddress, listenAddresses } = findEndpoints(controller, undefined);
  const complain = (keys: readonly AddressKey[], message: string): readonly Finding[] =>
    keys
      .filter((each) => controller[each] !== undefined)
      .slice(0, 1)
      .map((key) => ({
        path: ['controllers', name, key],
        message,
        subject: key === 'listenAddresses' ? 'none' : 'value',
      }));
  if (advertiseAddress === undefined || listenAddresses === undefined) return [];
  if (!isLoopback(advertiseAddress)) {
    if (listenAddresses.length > 0) return [];
    const message = 'leaves etcd on loopback alone, where nobody else reaches it (write privateAddress: 10.0.0.1)';
    return complain(['listenAddresses', 'privateAddress', 'address'], message);
  }
  if (alone && advertiseAddress === '127.0.0.1') return [];
  const reason = alone ? 'etcd listens on 127.0.0.1 only' : 'the other members find themselves';
  const message = `is loopback, where ${reason} (write an address that others can dial, as privateAddress)`;
  return complain(['advertiseAddress', 'privateAddress', 'address'], message);
}

type AddressKey = 'advertiseAddress' | 'listenAddresses' | 'privateAddress' | 'address';

function checkWildcards(name: string, { listenAddresses = [] }: ControllerSettings): readonly Finding[] {
  const path = ['controllers', name, 'listenAddresses'];
  if (listenAddresses.length === 1 || !listenAddresses.some((each) => parseIp(each)?.kind === 'unspecified')) return [];
  const message =
    'binds all addresses and some of them again, which fails (write the one that means all, or the others)';
  return [{ path, message, subject: 'none' }];
}

function checkPorts(name: string, controller: ControllerSettings, { ports }: Parts): readonly Finding[] {
  const { clientPort, formerClientPort, peerPort, metricsPort } = findEndpoints(controller, ports);
  const former = formerClientPort === undefined ? [] : [formerClientPort];
  const all = [clientPort, peerPort, metricsPort, ...former];
  if (new Set(all).size === all.length) return [];
  const more = former.map((port) => `, formerClient ${port}`).join('');
  const message = `client ${clientPort}, peer ${peerPort}${more} and metrics ${metricsPort} must differ (write ${former.length === 0 ? 'three' : 'four'} ports)`;
  const path = controller.ports === undefined ? ['ports'] : ['controllers', name, 'ports'];
  return [{ path, message, subject: 'none' }];
}

/** Complains about each controller whose endpoint an earlier one has. */
function checkTwins(
  controllers: readonly (readonly [string, ControllerSettings])[],
  key: 'address' | 'advertiseAddress',
  endpointOf: (controller: ControllerSettings) => string | undefined,
): readonly Finding[] {
  const owners = new Map<string, string>();
  return controllers.flatMap(([name, controller]): Finding[] => {
    const endpoint = endpointOf(controller);
    const owner = endpoint === undefined ? undefined : owners.get(endpoint);
    if (endpoint !== undefined && owner === undefined) owners.set(endpoint, name);
    if (owner === undefined) return [];
    const keys = [key, 'privateAddress', 'address'] as const;
    const blamed = key === 'address' ? key : keys.find((each) => controller[each] !== undefined);
    const message = `is that of ${owner} too: ${endpoint} (give each controller a host of its own)`;
    return [{ path: ['controllers', name, ...(blamed === undefined ? [] : [blamed])], message, subject: 'none' }];
  });
}

/** One finding a controller: whoever shares its address shares its ports as well. */
function firstOfEach(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding, index) => findings.findIndex(({ path }) => path[1] === finding.path[1]) === index);
}

/** Behind bastions the same address may be another host, and one host may forward several ports. */
function sshEndpoint(controller: ControllerSettings, { ssh }: Parts): string | undefined {
  if (controller.transport === 'local') return 'this machine';
  if (controller.address === undefined || controller.ssh?.bastion !== undefined) return undefined;
  return `${canonicalAddress(controller.address)} port ${controller.ssh?.port ?? ssh?.port ?? 22}`;
}

function memberEndpoint(controller: ControllerSettings, { ports }: Parts, use: 'client' | 'peer'): string | undefined {
  const { advertiseAddress, clientPort, peerPort } = findEndpoints(controller, ports);
  if (advertiseAddress === undefined) return undefined;
  return `${advertiseAddress} ${use} port ${use === 'client' ? clientPort : peerPort}`;
}
