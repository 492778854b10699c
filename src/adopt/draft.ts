/** Drafts: inventories of which nothing but how to reach the hosts needs to be right. Pure. */
import { parse, stringify } from 'yaml';
import { parseIp } from '../inventory/address.ts';
import { type HostArgument, parseHostArgument } from '../inventory/host-argument.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** A draft for hosts as the command line names them. @throws QuorateError usage */
export function draftFor(targets: readonly string[]): string {
  const hosts = targets.map(parseHostArgument);
  const controllers = hosts.map((each, index) => [`host-${index + 1}`, controllerOf(each)] as const);
  return stringify({ controllers: Object.fromEntries(controllers) });
}

/** The draft with what parseInventory demands, where it is missing: of no meaning to who only connects. Text that is no mapping stays as it is. */
export function completeDraft(text: string): string {
  const draft = readDraft(text);
  if (draft === undefined) return text;
  const { controllers, cluster, ...rest } = draft;
  return stringify({
    apiVersion: 'quorate/v1',
    ...rest,
    cluster: { name: 'etcd', version: '3.6.16', ...mappingOf(cluster) },
    controllers: Object.fromEntries(
      Object.entries(mappingOf(controllers)).map(([name, settings]) => [name, withAddresses(mappingOf(settings))]),
    ),
  });
}

/** What a draft says of each controller that is to stay: how it is reached. By its name in the draft. */
export function carriedControllers(text: string): Readonly<Record<string, Mapping>> {
  const controllers = mappingOf(readDraft(text)?.['controllers']);
  return Object.fromEntries(
    Object.entries(controllers).map(([name, settings]) => {
      const { transport, address, ssh } = mappingOf(settings);
      return [name, without({ transport, address, ssh })];
    }),
  );
}

/** Sections of a draft that are to stay. */
export function carriedSections(text: string): Mapping {
  const { ssh, pki, state, etcd } = readDraft(text) ?? {};
  return without({ ssh, pki, state, etcd });
}

function controllerOf({ user, host, port }: HostArgument): Mapping {
  const ssh = without({ user, port });
  return { address: host, ...(Object.keys(ssh).length === 0 ? {} : { ssh }) };
}

/** A DNS name alone says nothing of what etcd listens on, which is what is to be found out. */
function withAddresses(settings: Mapping): Mapping {
  const { address, privateAddress, listenAddresses } = settings;
  const told = privateAddress !== undefined || listenAddresses !== undefined;
  return told || (typeof address === 'string' && parseIp(address) !== undefined)
    ? settings
    : { ...settings, listenAddresses: ['0.0.0.0'] };
}

function readDraft(text: string): Mapping | undefined {
  try {
    const value: unknown = parse(text, { maxAliasCount: 1000, logLevel: 'silent' });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? mappingOf(value) : undefined;
  } catch {
    return undefined; // parseInventory says what is wrong, with its place
  }
}

function mappingOf(value: unknown): Mapping {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function without(mapping: Mapping): Mapping {
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== undefined));
}
