/** Where a running member listens and what it advertises, as keys of a controller. Pure. */
import { parseIp } from '../inventory/address.ts';
import type { FoundHost, Note } from './found.ts';
import { type FoundMember, isLoopbackHost, textOf } from './member.ts';

/** `privateAddress`, or `listenAddresses` and `advertiseAddress`, and the ports; what will be another is noted. */
export function endpointsOf({ host, address, member, survey }: FoundHost, notes: Note[]) {
  const [peer] = member.advertisePeer;
  const [client] = member.advertiseClient;
  const change = (text: string): void => {
    notes.push({ level: 'changes', host, text });
  };
  const advertise = peer?.host ?? address;
  if (isLoopbackHost(advertise) || peer === undefined) {
    notes.push({
      level: 'changes',
      host,
      text: `it advertises ${peer === undefined ? 'nothing that can be dialled' : textOf(peer)}, which only this host can dial: members and clients get ${address}`,
    });
  }
  const dialled = isLoopbackHost(advertise) || peer === undefined ? address : advertise;
  for (const each of [...member.advertisePeer.slice(1), ...member.advertiseClient.slice(1)]) {
    change(`${textOf(each)} is advertised too; quorate advertises one URL for each port`);
  }
  if (client !== undefined && client.host !== advertise && !isLoopbackHost(client.host)) {
    change(
      `clients are told ${client.host}, and peers ${advertise}: both will be told ${dialled}; certificates carry both names`,
    );
  }
  const ports = {
    client: client?.port ?? 2379,
    peer: peer?.port ?? 2380,
    metrics: metricsPort(host, member, notes),
  };
  for (const each of member.listenClient.filter(({ port }) => port !== ports.client)) {
    change(`it listens for clients on ${textOf(each)} too; quorate serves one client port (${ports.client})`);
  }
  const listened = [...member.listenPeer, ...member.listenClient].map((each) => each.host);
  const any = listened.find((each) => each === '0.0.0.0' || each === '::');
  const own = listened.filter((each) => !isLoopbackHost(each) && parseIp(each) !== undefined);
  const listen = any !== undefined ? [any] : [...new Set(own)];
  const found = listen.length > 0 ? listen : [survey.addresses.includes(dialled) ? dialled : '0.0.0.0'];
  const plain = found.length === 1 && found[0] === dialled && dialled === address && parseIp(address) !== undefined;
  if (plain) return { ports };
  const single = found.length === 1 ? found[0] : undefined;
  if (single !== undefined && single === dialled && parseIp(single) !== undefined)
    return { privateAddress: single, ports };
  return { advertiseAddress: dialled, listenAddresses: found, ports };
}

function metricsPort(host: string, member: FoundMember, notes: Note[]): number {
  const [first] = member.metrics;
  const used = [...member.listenClient, ...member.listenPeer].map((each) => each.port);
  if (first === undefined) return used.includes(2381) ? 2382 : 2381;
  if (member.metrics.some((each) => !isLoopbackHost(each.host))) {
    const text = `metrics are served on ${member.metrics.map(textOf).join(', ')}; quorate serves them on loopback alone`;
    notes.push({ level: 'changes', host, text });
  }
  return used.includes(first.port) ? 2381 : first.port;
}
