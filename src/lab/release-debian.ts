/** etcd releases out of Debian's packages: whatever version some suite has, repacked in the official layout. */
import { chmod, cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../domain/errors.ts';
import { debianSources, formatSources } from './apt.ts';
import { machineSuite } from './image.ts';
import { runProgram } from './program.ts';
import { packRelease, releaseName } from './release-pack.ts';
import type { MakeOptions, ReleaseSource } from './release-source.ts';
import { findProgram } from './requirements.ts';

/** Debian 12, 13 and 14, which have etcd 3.4.23, 3.5.16 and 3.5.30 (November 2026). */
const suites = ['bookworm', 'trixie', 'forky'];
const packages = ['etcd-server', 'etcd-client'];
const listsMaxAgeMs = 7 * 24 * 3600 * 1000;

/** Debian's suites, read through an apt of its own beside this machine's. */
export const debianSource: ReleaseSource = {
  name: 'Debian packages',
  refuse: async (version, cache) => {
    if ((await findProgram('apt-get')) === undefined) return 'there is no apt-get here';
    const found = await packageVersions(await privateApt(cache), version);
    return found === undefined ? `no package of ${suites.join(', ')} has it` : undefined;
  },
  make: unpackPackages,
};

/** The Debian version of an upstream one in `apt-cache madison`'s table; undefined when it is not there. */
export function findPackageVersion(madison: string, version: string): string | undefined {
  const versions = madison.split('\n').map((line) => line.split('|')[1]?.trim() ?? '');
  return versions.find((full) => full.replace(/[-+].*$/, '') === version);
}

async function unpackPackages(version: string, folder: string, options: MakeOptions): Promise<string> {
  const apt = await privateApt(options.cache);
  const full = await packageVersions(apt, version);
  if (full === undefined) throw new QuorateError('step-failed', `etcd ${version}: no package of Debian has it`);
  options.say(`etcd ${version}: unpacking Debian's ${full}`);
  const work = join(folder, 'debian');
  await mkdir(work, { recursive: true });
  const names = packages.map((name) => `${name}=${full}`);
  const download = ['apt-get', ...apt, '-o', 'APT::Sandbox::User=root', 'download', ...names];
  await runProgram(download, { cwd: work, signal: options.signal, timeoutMs: 300_000 });
  for (const name of await readdir(work))
    await runProgram(['dpkg-deb', '--extract', join(work, name), join(work, 'root')]);
  await takeBinaries(join(work, 'root/usr/bin'), join(folder, releaseName(version)));
  await rm(work, { recursive: true });
  await packRelease(version, folder);
  await rm(join(folder, releaseName(version)), { recursive: true });
  return `Debian package ${full}`;
}

/** Copies what a release holds; before 3.5 there is no etcdutl. */
async function takeBinaries(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (!['etcd', 'etcdctl', 'etcdutl'].includes(name)) continue;
    await cp(join(from, name), join(to, name));
    await chmod(join(to, name), 0o755);
  }
}

async function packageVersions(apt: readonly string[], version: string): Promise<string | undefined> {
  return findPackageVersion(await runProgram(['apt-cache', ...apt, 'madison', 'etcd-server']), version);
}

/** Options for an apt with lists of its own for all suites, from this machine's archive; the lists are fetched weekly. */
async function privateApt(cache: string): Promise<string[]> {
  const root = join(cache, 'apt');
  await mkdir(join(root, 'lists/partial'), { recursive: true });
  await mkdir(join(root, 'archives/partial'), { recursive: true });
  const options = [
    `Dir::Etc::SourceList=${root}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${root}/lists`,
    `Dir::Cache=${root}`,
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'APT::Sandbox::User=root',
    // Hooks of this machine's own apt are about its own lists.
    'APT::Update::Post-Invoke-Success=',
  ].flatMap((option) => ['-o', option]);
  if (await isFresh(join(root, 'updated'))) return options;
  await writeFile(join(root, 'sources.list'), formatSources(await suiteSources()));
  await runProgram(['apt-get', ...options, 'update'], { timeoutMs: 300_000 });
  await writeFile(join(root, 'updated'), '');
  return options;
}

async function suiteSources() {
  const own = await machineSuite();
  const archives = (await debianSources(own)).filter(({ suite }) => suite === own);
  return archives.flatMap((archive) => suites.map((suite) => ({ ...archive, suite, components: ['main'] })));
}

async function isFresh(file: string): Promise<boolean> {
  const written = await stat(file).catch(() => undefined);
  return written !== undefined && Date.now() - written.mtimeMs < listsMaxAgeMs;
}
