/** Which Debian archive this machine uses and how it reaches it: read from its own apt configuration, never assumed. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { runProgram } from './program.ts';

/** One archive for some suites, whatever format it was written in. */
export interface Source {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

/** The sources of this machine that serve `codename` or its updates. Throws `usage` when there are none. */
export async function debianSources(codename: string): Promise<Source[]> {
  const found = (await readSources()).filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`));
  if (found.some(({ suite }) => suite === codename)) return found;
  throw new QuorateError('usage', `apt on this machine has no source for Debian's ${codename}`, {
    hint: `add one to /etc/apt/sources.list.d, then apt-get update`,
  });
}

/** Sources as lines of a `sources.list` (sources.list(5)). */
export function formatSources(sources: readonly Source[]): string {
  const line = ({ uri, suite, components, signedBy }: Source): string => {
    const options = signedBy === undefined ? '' : `[signed-by=${signedBy}] `;
    return `deb ${options}${[uri, suite, ...components].join(' ')}\n`;
  };
  return sources.map(line).join('');
}

/** Reads one file of sources: deb822 stanzas (`.sources`) or one-line entries (`.list`). */
export function parseSources(text: string, format: 'deb822' | 'list'): Source[] {
  return format === 'list' ? text.split('\n').flatMap(parseLine) : text.split(/\n\s*\n/).flatMap(parseStanza);
}

/** This machine's `Acquire` settings (proxies, certificates, validity), as statements of an apt.conf. */
export async function acquireSettings(): Promise<string> {
  const dump = await runProgram(['apt-config', 'dump', '--no-empty', 'Acquire']);
  // Changelog addresses and compression lists are apt's own defaults and no one's business in an image.
  return dump
    .split('\n')
    .filter((line) => /^Acquire::(http|https|Check-|Retries|ForceIPv)/i.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

async function readSources(): Promise<Source[]> {
  const parts = await readdir('/etc/apt/sources.list.d').catch(() => []);
  const files = ['/etc/apt/sources.list', ...parts.sort().map((name) => join('/etc/apt/sources.list.d', name))];
  const sources: Source[] = [];
  for (const file of files) {
    if (!/\.(list|sources)$/.test(file)) continue;
    const text = await readFile(file, 'utf8').catch(() => '');
    sources.push(...parseSources(text, file.endsWith('.sources') ? 'deb822' : 'list'));
  }
  return sources;
}

function parseLine(line: string): Source[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
  if (match === null) return [];
  const [, options = '', uri = '', suite = '', components = ''] = match;
  const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
  return [{ uri, suite, components: words(components), signedBy }];
}

function parseStanza(stanza: string): Source[] {
  const fields = new Map<string, string>();
  for (const line of stanza.split('\n')) {
    const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (match?.[1] !== undefined) fields.set(match[1].toLowerCase(), match[2]?.trim() ?? '');
  }
  if (!words(fields.get('types')).includes('deb') || fields.get('enabled')?.toLowerCase() === 'no') return [];
  const signedBy = fields.get('signed-by') || undefined;
  return words(fields.get('uris')).flatMap((uri) =>
    words(fields.get('suites')).map((suite) => ({
      uri,
      suite,
      components: words(fields.get('components')),
      signedBy,
    })),
  );
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter(Boolean);
}
