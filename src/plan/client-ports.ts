/** A client port that changes: no client is cut off before it can go elsewhere, and quorate takes no member for dead that listens elsewhere. Pure. */
import { type Controller, dialledClientPort } from '../domain/controller.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { configFile } from '../domain/layout.ts';
import type { View } from './view.ts';

/**
 * Before members are counted: one whose configuration does not listen where the inventory has it asked would pass for dead.
 * @throws QuorateError refused: with every controller whose client port is another at once
 */
export function requireDialled(view: View): void {
  const failures = view.cluster.controllers.flatMap((controller) => {
    const ports = boundPorts(view, view.facts.hosts[controller.name]);
    const asked = dialledClientPort(controller);
    return ports.length === 0 || ports.includes(asked) ? [] : [refusal(controller, ports)];
  });
  const [first] = failures;
  if (first === undefined) return;
  throw failures.length === 1
    ? first
    : combineErrors(`the client ports of ${failures.length} members cannot be changed at once`, failures);
}

/** What of their client ports those members who are changed end, and what comes. */
export function clientPortWarnings(view: View, chosen: readonly string[]): readonly string[] {
  return view.cluster.controllers.flatMap((controller) => {
    const { name, clientPort, formerClientPort, clientUrl } = controller;
    const bound = boundPorts(view, view.facts.hosts[name]);
    if (bound.length === 0 || !chosen.includes(name)) return [];
    const wanted = [clientPort, ...(formerClientPort === undefined ? [] : [formerClientPort])];
    const [ending, coming] = [
      bound.filter((port) => !wanted.includes(port)),
      wanted.filter((each) => !bound.includes(each)),
    ];
    return [
      ...ending.map(
        (port) =>
          `${name}: from its turn on clients that dial its port ${port} are refused; they find it at ${clientUrl}`,
      ),
      ...coming.map(
        (port) =>
          `${name}: serves clients on port ${port} too from its turn on: let firewalls pass it, and name ${clientUrl} to clients`,
      ),
    ];
  });
}

function refusal({ name, clientPort, formerClientPort }: Controller, bound: readonly number[]): QuorateError {
  const [port = 0] = bound;
  const message = `${name}: serves clients on port ${bound.join(' and ')}, and the inventory wants ${formerClientPort ?? clientPort} at once: every client would be cut off, member by member`;
  return new QuorateError('refused', message, {
    host: name,
    hint: `let it have both for a while: ports: {client: ${clientPort}, formerClient: ${port}}, and quorate apply; once clients name the new one, take formerClient out, and apply again`,
  });
}

/** What the configuration on a host binds for clients; empty where there is none of quorate's yet. */
function boundPorts({ cluster }: View, host: HostFacts | undefined): readonly number[] {
  const text = host?.texts[configFile(cluster)] ?? '';
  const [, urls = ''] = /^listen-client-urls: (.*)$/m.exec(text) ?? [];
  return [...new Set([...urls.matchAll(/:(\d{1,5})(?=[,"'\s]|$)/g)].map(([, port]) => Number(port)))];
}
