/** quorate doctor: known symptoms in journals and states, told as cause and remedy. Changes nothing. */
import type { Cluster } from '../domain/cluster.ts';
import { parseDuration } from '../domain/duration.ts';
import { QuorateError } from '../domain/errors.ts';
import { type Evidence, type Finding, findingsOf, findingsStatus, type LineSign } from '../domain/finding.ts';
import type { JournalWish } from '../domain/journal.ts';
import { lineSigns } from '../domain/symptom-lines.ts';
import { stateSigns } from '../domain/symptom-states.ts';
import { symptomRows, tellingWords } from '../domain/symptoms.ts';
import { certificateSigns } from '../plan/certificate-signs.ts';
import { type Invocation, type Ports, type Verb, type VerbUi, value } from './command.ts';
import { type Examination, examine } from './examine.ts';
import { supportFiles, supportSecrets } from './support-files.ts';

/** How far back journals are read. */
const USUAL_SINCE_MS = 3_600_000;
/** Of each host that runs: more lines than this in the time are the same ones again. */
const LINES = 20_000;
/** Of a host whose unit does not run: its last words, however old. */
const LAST_LINES = 300;
/** Evidence that is shown of one finding. */
const SHOWN = 6;

export const doctor: Verb = async (invocation, ports) => {
  const path = await bundlePath(invocation, ports);
  const cluster = await ports.clusterAt(undefined);
  return examine(cluster, ports, async (seen) => {
    const findings = await diagnose(seen, cluster, sinceOf(invocation));
    if (path !== undefined) await writeBundle(path, { cluster, seen, findings }, ports);
    if (ports.ui.mode === 'json') ports.ui.json(toJson(cluster, findings, ports.now()));
    else show(cluster, findings, ports.ui);
    return findingsStatus(findings);
  });
};

async function diagnose(seen: Examination, cluster: Cluster, sinceMs: number): Promise<readonly Finding[]> {
  const { view, health, metrics, notAsked } = seen;
  const { facts, identity } = view;
  const signs = [
    ...stateSigns({ cluster, facts, health, metrics, clusterId: identity?.clusterId }),
    ...certificateSigns(seen.certificates),
    ...(notAsked === undefined ? [] : [{ id: 'not-asked', host: '', text: notAsked } as const]),
  ];
  const stopped = Object.values(facts.hosts).filter(({ unit }) => ['inactive', 'failed'].includes(unit.activeState));
  const silent = stopped.map((each) => each.host);
  const running = Object.keys(facts.hosts).filter((each) => !silent.includes(each));
  const wish = { level: 'warn', also: tellingWords, follow: false } as const;
  const lines = await Promise.all([
    readSigns(seen, running, { ...wish, since: { agoMs: sinceMs }, lines: LINES }),
    readSigns(seen, silent, { ...wish, since: undefined, lines: LAST_LINES }),
  ]);
  return findingsOf(signs, lines.flat());
}

async function readSigns(
  { session, view }: Examination,
  hosts: readonly string[],
  wish: JournalWish,
): Promise<readonly LineSign[]> {
  return lineSigns(session.inquiry.journals(hosts, wish).lines, view.facts);
}

function show({ name }: Cluster, findings: readonly Finding[], ui: VerbUi): void {
  for (const finding of findings.filter((each) => each.level !== 'past')) tell(finding, ui);
  const past = findings.filter((each) => each.level === 'past');
  for (const { id, evidence } of past) ui.out(`past      ${id}: ${evidence.map(wordEvidence).slice(0, 1).join('')}`);
  const count = (level: Finding['level']): number => findings.filter((each) => each.level === level).length;
  if (count('critical') + count('warning') === 0) {
    ui.out(`doctor of ${name}: none of ${symptomRows.length} known symptoms shows now`);
    return;
  }
  ui.out(`doctor of ${name}: ${count('critical')} critical, ${count('warning')} warnings`);
}

function tell({ id, level, cause, remedy, count, evidence }: Finding, ui: VerbUi): void {
  ui.out(`${level.padEnd(8)}  ${id}: ${cause}`);
  ui.out(`          remedy: ${remedy}`);
  for (const each of evidence.slice(0, SHOWN)) ui.out(`          - ${wordEvidence(each)}`);
  if (count > Math.min(evidence.length, SHOWN)) ui.out(`            (seen ${count} times)`);
}

function wordEvidence({ host, at, text }: Evidence): string {
  return [host === '' ? [] : `${host}:`, at === undefined ? [] : new Date(at).toISOString(), text].flat().join(' ');
}

function toJson(cluster: Cluster, findings: readonly Finding[], now: number) {
  const state = ({ 0: 'ok', 2: 'warning', 3: 'critical' } as const)[findingsStatus(findings)];
  return { cluster: cluster.name, at: new Date(now).toISOString(), state, findings: findings.map(findingToJson) };
}

function findingToJson(finding: Finding) {
  const evidence = finding.evidence.map(({ at, ...rest }) => ({
    ...rest,
    ...(at === undefined ? {} : { at: new Date(at).toISOString() }),
  }));
  return { ...finding, evidence };
}

function sinceOf(invocation: Invocation): number {
  const text = value(invocation, 'since');
  return text === undefined ? USUAL_SINCE_MS : parseDuration(text, '--since');
}

async function bundlePath(invocation: Invocation, { files }: Ports): Promise<string | undefined> {
  const path = value(invocation, 'bundle');
  if (path === undefined || !(await files.exists(path))) return path;
  throw new QuorateError('usage', `${path}: exists already, and is never overwritten`, {
    hint: 'name another file with --bundle',
  });
}

async function writeBundle(
  path: string,
  {
    cluster,
    seen,
    findings,
  }: { readonly cluster: Cluster; readonly seen: Examination; readonly findings: readonly Finding[] },
  ports: Ports,
): Promise<void> {
  const doctorJson = toJson(cluster, findings, ports.now());
  const files = await supportFiles(cluster, seen, doctorJson);
  const bytes = await ports.bundle(`quorate-${cluster.name}`, files, supportSecrets(seen.view.facts));
  await ports.files.write(path, bytes, { mode: 0o600, replace: false });
  ports.ui.note(`wrote ${path} (${Math.ceil(bytes.length / 1024)} KiB): look at it before you give it away`);
}
