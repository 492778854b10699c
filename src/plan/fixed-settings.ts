/** What is fixed once a member has its data: an inventory that says something else is refused before anything is made of it. Pure. */
import { parse } from 'yaml';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import type { HostFacts } from '../domain/facts.ts';
import { currentGeneration } from '../domain/generation.ts';
import { configFile, unitFile } from '../domain/layout.ts';
import type { View } from './view.ts';

/**
 * Compares what these hosts were set up with, by their own marks and files, with the inventory.
 * @throws QuorateError refused, with every difference, why it cannot be made, and the way out
 */
export function requireUnchanged(view: View, members: readonly string[]): void {
  const failures = members.flatMap((name) => {
    const host = view.facts.hosts[name];
    const marker = host?.records.marker;
    return host === undefined || marker === undefined || marker.uuid !== view.identity?.uuid
      ? []
      : changesOf(view, host);
  });
  const [first] = failures;
  if (first === undefined) return;
  throw failures.length === 1
    ? first
    : combineErrors(`${failures.length} settings are fixed once a cluster has been formed`, failures);
}

/** `is`: what the host has. */
interface Change {
  readonly what: string;
  readonly is: string;
  readonly wanted: string;
  readonly why: string;
  readonly hint: string;
}

function changesOf(view: View, host: HostFacts): readonly QuorateError[] {
  const { cluster } = view;
  const name = host.host;
  const found = settingsOf(view, host);
  const { dataDir, walDir = '' } = cluster.paths;
  const replace = `put it back; a member moves with a replacement: quorate member replace ${name} -i FILE`;
  const back = 'put it back as it was';
  const data = 'the data of this member is there';
  const all: readonly (Change | undefined)[] = [
    differs('the cluster', found.cluster, cluster.name, { why: 'hosts and authorities carry it', hint: back }),
    differs('its data dir', found.dataDir, dataDir, { why: data, hint: replace }),
    differs('its WAL dir', found.walDir, walDir, { why: data, hint: replace }),
    differs('its account', found.user, cluster.user, { why: 'its data belongs to that account', hint: back }),
    differs('its configuration', found.config, configFile(cluster), {
      why: 'its private keys are in the folder of that file, and would be left there',
      hint: back,
    }),
    differs('its unit', found.unit, cluster.unit, { why: 'two units would run on the same data', hint: back }),
  ];
  return all.flatMap((change) => (change === undefined ? [] : [refusal(name, change)]));
}

function differs(
  what: string,
  is: string | undefined,
  wanted: string,
  { why, hint }: Pick<Change, 'why' | 'hint'>,
): Change | undefined {
  return is === undefined || is === wanted ? undefined : { what, is, wanted, why, hint };
}

function refusal(host: string, { what, is, wanted, why, hint }: Change): QuorateError {
  const wants = wanted === '' ? 'none of its own' : wanted;
  const has = is === '' ? 'none of its own' : is;
  const message = `${host}: ${what} is ${has}, and the inventory wants ${wants}: ${why}`;
  return new QuorateError('refused', message, { host, hint });
}

type Found = Readonly<Partial<Record<'cluster' | 'dataDir' | 'walDir' | 'user' | 'config' | 'unit', string>>>;

/** As far as the host tells what is in use; a file that was edited by hand changes nothing of that. */
function settingsOf({ cluster }: View, host: HostFacts): Found {
  const settings = host.data.wal ? {} : topLevel(host.texts[configFile(cluster)]);
  const found = host.texts[unitFile(cluster)] ?? '';
  // Of a cluster that was made elsewhere, the unit is still somebody else's.
  const unit = found.includes('Written by quorate') ? found : '';
  const user = unitUser(unit);
  const data = host.files[cluster.paths.dataDir];
  const config = /^Environment=QUORATE_CONFIG=(\S+) /m.exec(unit)?.[1];
  const other = host.processes.find(({ arguments: words }) => words.includes(configFile(cluster)))?.unit;
  return {
    ...(host.records.marker === undefined ? {} : { cluster: host.records.marker.cluster }),
    ...(settings['data-dir'] === undefined
      ? {}
      : { dataDir: settings['data-dir'], walDir: settings['wal-dir']?.replace(/\/wal$/, '') ?? '' }),
    ...(user !== undefined && data?.kind === 'directory' && data.owner === user ? { user } : {}),
    ...(config === undefined || currentGeneration(cluster, host) > 0 ? {} : { config }),
    ...(other === undefined || other === '' ? {} : { unit: other }),
  };
}

function unitUser(unit: string): string | undefined {
  return /^User=(\S+)$/m.exec(unit)?.[1];
}

/** Settings of the configuration on the host that are text; nothing where it is none. */
function topLevel(text: string | undefined): Readonly<Record<string, string>> {
  const value = text === undefined ? undefined : parsed(text);
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function parsed(text: string): unknown {
  try {
    return parse(text, { version: '1.1', maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}
