/** The table of effects on hosts: what each kind of step becomes in a stage's script. Its verification is that it is no longer needed. */
import { QuorateError } from '../domain/errors.ts';
import type { AttemptRecord } from '../domain/facts.ts';
import { ATTEMPT_FILE, MARKER_FILE, pkiLink, STARTING_FILE, unitFile, walFolder } from '../domain/layout.ts';
import type { PkiView, Use } from '../domain/pki-view.ts';
import { quote } from '../domain/shell-quote.ts';
import type { FilePut, Step } from '../domain/step.ts';
import { chainFile } from '../pki/chain.ts';
import { trustBundle } from '../plan/certificates.ts';
import { prepareGaps } from '../plan/generation-gaps.ts';
import type { HostStepKind } from '../plan/need.ts';
import { fillToken } from '../plan/need.ts';
import type { View } from '../plan/view.ts';
import { asideScript, deleteScript } from './data-script.ts';
import type { Fragment, StagedFile } from './fragment.ts';
import { notInUse, pairScript, prepareScript, pruneScript } from './generation-script.ts';
import { downloadTarget, installArriving, installDownload } from './install-script.ts';
import { keyScript } from './key-script.ts';
import type { IssuedLeaves, Release } from './ports.ts';
import { settle } from './prelude.ts';
import { restartScript } from './unit-restart.ts';
import { startScript } from './unit-start.ts';

/** What compiling a host's steps needs besides the steps. */
export interface CompileContext {
  readonly view: View;
  /** Certificates issued for this host in this run. */
  readonly issued: IssuedLeaves;
  /** The release for this host, when a step pushes one. */
  readonly release: Release | undefined;
  /** Shell that downloads the release to "$1", where hosts download by themselves. */
  readonly download: ((target: string) => Promise<string>) | undefined;
  /** Gives each staged file a name of its own. */
  readonly stage: (content: string) => StagedFile;
  /** RFC 3339, to name what is moved aside and to date the marker. */
  readonly timestamp: string;
}

type Compilers = {
  readonly [K in HostStepKind]: (step: Step<K>, context: CompileContext) => Fragment | Promise<Fragment>;
};

const compilers: Compilers = {
  'package.hold': (step, { view }) =>
    shell(`${stopDistribution(step.unit, view.cluster.unit)}if command -v apt-mark >/dev/null 2>&1; then apt-mark hold ${words(step.packages)} >/dev/null
elif command -v dnf >/dev/null 2>&1; then dnf -q versionlock add ${words(step.packages)} >/dev/null; fi`),
  'user.ensure': (step) => {
    const user = quote(step.user);
    const add = 'useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin';
    return shell(`if getent passwd ${user} >/dev/null; then getent group ${user} >/dev/null || groupadd --system ${user}
elif getent group ${user} >/dev/null; then ${add} --gid ${user} ${user}
else ${add} --user-group ${user}; fi`);
  },
  'directory.ensure': (step) => {
    const path = quote(step.path);
    return shell(`[ ! -L ${path} ] || { printf '%s\\n' ${quote(`${step.path} is a symbolic link: name the folder itself in the inventory`)} >&2; exit 1; }
install -d -m ${quote(step.mode)} -o ${quote(step.owner)} -g ${quote(step.group)} ${path}`);
  },
  'binary.install': installBinary,
  'binary.link': (step) =>
    shell(
      [
        `mkdir -p ${quote(step.binDir)}`,
        ...step.names.map((name) => `point ${quote(`${step.directory}/${name}`)} ${quote(`${step.binDir}/${name}`)}`),
        `sync ${quote(step.binDir)}`,
      ].join('\n'),
    ),
  'generation.prepare': (step, { view }) => {
    const host = view.facts.hosts[step.host];
    const gaps = host === undefined ? [] : prepareGaps(host, step).map((each) => each.leaf);
    return shell(`${notInUse(pkiLink(view.cluster), step.directory)}\n${prepareScript(step, gaps)}`);
  },
  'key.make': (step, { view }) =>
    shell(
      `${notInUse(pkiLink(view.cluster), step.directory)}\n${keyScript(step.directory, step.algorithm, step.user, step.purposes)}`,
    ),
  'pki.put': putGeneration,
  'pki.switch': (step) => shell(`link ${quote(step.target)} ${quote(step.link)}`),
  'generation.prune': (step) => shell(pruneScript(step)),
  'file.put': putFile,
  'file.remove': ({ path }) => shell(`rm -f ${quote(path)}\nsync ${quote(path.slice(0, path.lastIndexOf('/')))}`),
  'record.attempt': (step, context) => {
    const record = putRecord(ATTEMPT_FILE, withId(step, attemptOf(step.member, context.view)), context);
    return { files: record.files, script: `${forgetStart(walFolder(context.view.cluster))}\n${record.script}` };
  },
  'unit.enable': (step) => shell(`systemctl --no-reload enable ${quote(step.unit)} 2>/dev/null`),
  'unit.start': (step, context) => {
    const { files, script } = putFiles(step.files, context);
    return { files, script: `${script}\n${startScript(unitFile(context.view.cluster), step)}` };
  },
  'unit.restart': (step, { view }) => shell(restartScript(step, peerPorts(view))),
  'marker.put': (step, context) => {
    const { cluster } = context.view;
    const own = withId(step, { ...attemptOf(step.host, context.view), ...step.adopted });
    const record = { ...own, cluster: cluster.name, healthyAt: context.timestamp };
    const put = putRecord(MARKER_FILE, record, context);
    return {
      files: put.files,
      script: `${put.script}
rm -f ${words(step.files)}
rmdir ${words([...new Set(step.files.map((path) => path.slice(0, path.lastIndexOf('/'))))])} 2>/dev/null || :`,
    };
  },
  'unit.stop': (step) => shell(`systemctl stop ${quote(step.unit)}`),
  'unit.disable': (step) => shell(`systemctl disable ${quote(step.unit)} 2>/dev/null`),
  'data.own': (step) => {
    const folder = quote(`${step.path}/${step.entry}`);
    return shell(`systemctl stop ${quote(step.unit)}\nchown -R -h -P ${quote(`${step.user}:${step.user}`)} ${folder}`);
  },
  'data.aside': (step, { timestamp }) =>
    shell(asideScript(step, timestamp.replaceAll(/[-:]/g, '').replace(/\.\d+/, ''))),
  'data.delete': (step) => shell(deleteScript(step)),
  'path.remove': (step) => shell(`rm -rf --one-file-system -- ${words(step.paths)}\nsystemctl daemon-reload`),
};

/** The fragment of one step. */
export async function compile(step: Step<HostStepKind>, context: CompileContext): Promise<Fragment> {
  return compileRow(step, context);
}

async function compileRow<K extends HostStepKind>(step: Step<K>, context: CompileContext): Promise<Fragment> {
  return compilers[step.kind](step, context);
}

/** Certificates of this run and those carried over, each with its cross certificate where that is wanted; what is there already stays. */
function putGeneration(step: Step<'pki.put'>, context: CompileContext): Fragment {
  const { cluster, facts, pki } = context.view;
  const used = facts.hosts[step.host]?.certificates ?? {};
  const leaves = step.leaves.flatMap(({ purpose, authority, cross, key }) => {
    const pem = key === 'carry' ? used[`${step.from}/${purpose}.crt`] : context.issued[purpose];
    const behind = cross ? pki.authorities.find((each) => each.id === authority)?.cross : undefined;
    return pem === undefined ? [] : [{ name: `${purpose}.crt`, content: chainFile(pem, behind) }];
  });
  const bundles = [
    { name: 'ca.crt', content: requireBundle(pki, step.trust.client) },
    { name: 'peer-ca.crt', content: requireBundle(pki, step.trust.peer) },
  ];
  const folder = context.stage('').name;
  const files = [...bundles, ...leaves].map(({ name, content }) => ({ name: `${folder}/${name}`, content }));
  const lists = step.crls.map((use) => putList(`${step.directory}/${use}.crl`, requireList(pki, use), context));
  const scripts = [
    notInUse(pkiLink(cluster), step.directory),
    `put_all "$stage/${folder}" ${quote(step.directory)}`,
    ...lists.map((each) => each.script),
    pairScript(step.directory),
  ];
  return { files: [...files, ...lists.flatMap((each) => each.files)], script: scripts.join('\n') };
}

function requireBundle(pki: PkiView, ids: readonly string[]): string {
  const text = trustBundle(pki.authorities, ids);
  if (text === undefined) throw new Error(`the store does not know all of the authorities ${ids.join(', ')}`);
  return text;
}

function requireList({ crls }: PkiView, use: Use): string {
  const list = crls?.[use];
  if (list === undefined) throw new Error(`the store has no revocation list for ${use}`);
  return list.der;
}

/** Revocation lists are DER: they travel in base64. */
function putList(path: string, base64: string, context: CompileContext): Fragment {
  const file = context.stage(base64);
  const script = `base64 -d "$stage/${file.name}" > "$stage/${file.name}.der"
lay "$stage/${file.name}.der" ${words([path, '0644', 'root', 'root'])}
${settle([path])}`;
  return { files: [file], script };
}

async function installBinary(step: Step<'binary.install'>, context: CompileContext): Promise<Fragment> {
  const { release, download } = context;
  if (download !== undefined) return shell(installDownload(step, await download(downloadTarget(step))));
  if (release === undefined) throw new Error(`no release for ${step.host}`);
  const { length: sizeBytes } = await release.read();
  return { files: [], script: installArriving(step, { sizeBytes }), stdin: release };
}

/** Under another name than ours its unit would start again at the next boot. */
function stopDistribution(theirs: string, ours: string): string {
  if (theirs === '') return '';
  const stop = `systemctl stop ${quote(theirs)} || [ $? -eq 5 ]\n`;
  return theirs === ours ? stop : `${stop}systemctl disable ${quote(theirs)} 2>/dev/null || :\n`;
}

/** A unit that systemd knows is read anew at once: what it starts next is what stands there. */
function putFile(step: Step<'file.put'>, context: CompileContext): Fragment {
  const laid = layFiles([step], context);
  const { cluster } = context.view;
  if (step.path !== unitFile(cluster)) return { ...laid, laid: { paths: [step.path] } };
  const stale = `[ "$(systemctl show -p NeedDaemonReload --value -- ${quote(cluster.unit)} 2>/dev/null)" = yes ]`;
  return { ...laid, laid: { paths: [step.path], after: `if ${stale}; then systemctl daemon-reload; fi` } };
}

function putFiles(files: readonly FilePut[], context: CompileContext): Fragment {
  if (files.length === 0) return shell(':');
  const laid = layFiles(files, context);
  return { files: laid.files, script: `${laid.script}\n${settle(files.map((each) => each.path))}` };
}

function layFiles(files: readonly FilePut[], context: CompileContext): Fragment {
  const staged = files.map((each) => ({ put: each, file: context.stage(fillToken(each.content, context.view)) }));
  return {
    files: staged.map((each) => each.file),
    script: staged
      .map(({ put, file }) => `lay "$stage/${file.name}" ${words([put.path, put.mode, put.owner, put.group])}`)
      .join('\n'),
  };
}

function putRecord(path: string, record: object, context: CompileContext): Fragment {
  const content = `${JSON.stringify(record)}\n`;
  return putFiles([{ path, mode: '0600', owner: 'root', group: 'root', content }], context);
}

/** A start that left no WAL is forgotten, so that the next one may be the first again; one that left data never is. */
function forgetStart(wal: string): string {
  return `for each in ${quote(wal)}/*.wal; do
  [ ! -e "$each" ] || { echo 'its data appeared meanwhile: run the same command again' >&2; exit 1; }
done
rm -f ${quote(STARTING_FILE)}`;
}

/** A note without the member's ID would tell later that the data beside it is another member's. */
function withId<T extends { readonly memberId: string }>({ id, host }: Step, record: T): T {
  if (record.memberId !== '') return record;
  throw new QuorateError('step-failed', `${host}: the cluster does not tell the ID of its member`, {
    ...{ host, step: id },
    hint: 'run the same command again once a majority of the members serves: quorate status -i FILE',
  });
}

function attemptOf(member: string, view: View): AttemptRecord {
  const { identity } = view;
  if (identity === undefined) throw new Error('the cluster has no identity yet');
  return {
    uuid: identity.uuid,
    token: identity.token,
    clusterId: identity.clusterId,
    memberId: identity.memberIds[member] ?? '',
  };
}

function peerPorts({ cluster: { controllers } }: View): readonly number[] {
  return controllers.length > 1 ? controllers.map((each) => each.peerPort) : [];
}

function shell(script: string): Fragment {
  return { script, files: [] };
}

function words(values: readonly string[]): string {
  return values.map(quote).join(' ');
}
