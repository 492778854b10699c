/** quorate certs check: every certificate of the cluster, on disk, as served now, and with the operator. Opens no private key. */
import { parseDuration } from '../domain/duration.ts';
import { QuorateError } from '../domain/errors.ts';
import { printMetrics } from '../plan/certificate-metrics.ts';
import {
  ageOf,
  type CertificateReport,
  reportCertificates,
  reportStatus,
  stateOf,
} from '../plan/certificate-report.ts';
import type { CertificateRow } from '../plan/certificate-row.ts';
import { flag, type Invocation, type Verb, type VerbCell, type VerbTable, type VerbUi, value } from './command.ts';

export const certsCheck: Verb = async (invocation, ports) => {
  const limits = limitsOf(invocation);
  const cluster = await ports.clusterAt(undefined);
  const report = reportCertificates(await ports.certificateEvidence(cluster), limits);
  const metricsPorts = cluster.controllers.map(({ name, metricsPort }) => ({
    host: name,
    port: metricsPort,
    scheme: 'http',
  }));
  if (flag(invocation, 'prometheus')) ports.ui.line(printMetrics(report).trimEnd());
  else if (ports.ui.mode === 'json') ports.ui.json({ ...toJson(report), metrics: metricsPorts });
  else show(report, cluster.controllers[0]?.metricsPort, ports.ui);
  return reportStatus(report);
};

function limitsOf(invocation: Invocation) {
  const length = (name: string) => {
    const text = value(invocation, name);
    return text === undefined ? undefined : parseDuration(text, `--${name}`);
  };
  const limits = { warnMs: length('warn'), critMs: length('crit') };
  if (limits.warnMs !== undefined && limits.critMs !== undefined && limits.warnMs < limits.critMs) {
    throw new QuorateError('usage', 'certs check: --warn is shorter than --crit, so nothing would ever be a warning', {
      hint: 'for instance --warn 30d --crit 7d',
    });
  }
  return limits;
}

function show(report: CertificateReport, metricsPort: number | undefined, ui: VerbUi): void {
  ui.table(reportTable(report));
  for (const row of report.rows) for (const finding of row.findings) ui.out(`! ${row.where}: ${finding.text}`);
  ui.out(`metrics: plain http on port ${metricsPort} of each host's loopback, so no certificate`);
  ui.out(summary(report));
}

function reportTable({ rows, at }: CertificateReport): VerbTable {
  return {
    columns: [
      { title: 'where' },
      { title: 'common name' },
      { title: 'issuer', optional: true },
      { title: 'key', optional: true },
      { title: 'SANs' },
      { title: 'left', align: 'right' },
      { title: 'used', align: 'right', optional: true },
      { title: 'state' },
    ],
    rows: rows.map((row) => tableRow(row, at)),
  };
}

function tableRow(row: CertificateRow, at: number): readonly VerbCell[] {
  const { certificate, where } = row;
  const state: VerbCell = {
    text: stateOf(row),
    level: ({ ok: 'good', warning: 'warn', critical: 'bad' } as const)[stateOf(row)],
  };
  if (certificate === undefined) return [where, none, none, none, none, none, none, state];
  const { daysLeft, lifeUsed } = ageOf(certificate, at);
  return [
    where,
    certificate.commonName,
    /(?:^|, )CN=(.*)$/.exec(certificate.issuer)?.[1] ?? certificate.issuer,
    certificate.algorithm,
    sans(row),
    daysLeft < 0 ? 'expired' : `${daysLeft} d`,
    `${Math.floor(lifeUsed * 100)} %`,
    state,
  ];
}

const none: VerbCell = { text: '-', level: 'faint' };

function sans({ kind, findings }: CertificateRow): VerbCell {
  const missing = findings.filter((each) => each.code === 'san-missing').length;
  const unwanted = findings.filter((each) => each.code === 'san-unwanted').length;
  if (missing + unwanted > 0) {
    const words = [...(missing > 0 ? [`${missing} missing`] : []), ...(unwanted > 0 ? [`${unwanted} unwanted`] : [])];
    return { text: words.join(', '), level: 'warn' };
  }
  return kind === 'file' || kind === 'port' ? 'as wanted' : none;
}

function summary({ cluster, rows, at }: CertificateReport): string {
  const count = (state: string): number => rows.filter((row) => stateOf(row) === state).length;
  const [critical, warnings] = [count('critical'), count('warning')];
  const first = rows
    .flatMap((row) => (row.certificate === undefined ? [] : [{ row, end: row.certificate.notAfter }]))
    .toSorted((left, right) => left.end - right.end)[0];
  const next = first === undefined ? '' : `; the first to end is ${first.row.where}, ${dayOf(first.end, at)}`;
  if (critical + warnings === 0) return `certificates of ${cluster}: ok${next}`;
  return `certificates of ${cluster}: ${critical} critical, ${warnings} with warnings, of ${rows.length}${next}`;
}

function dayOf(end: number, at: number): string {
  const day = new Date(end).toISOString().slice(0, 10);
  return end <= at ? `expired ${day}` : day;
}

function toJson(report: CertificateReport) {
  const { cluster, at, state, rows } = report;
  return { cluster, at: new Date(at).toISOString(), state, certificates: rows.map((row) => rowToJson(row, at)) };
}

function rowToJson(row: CertificateRow, at: number) {
  const { certificate, ...place } = row;
  if (certificate === undefined) return { ...place, state: stateOf(row) };
  const { notBefore, notAfter, ...rest } = certificate;
  const dates = { notBefore: new Date(notBefore).toISOString(), notAfter: new Date(notAfter).toISOString() };
  return { ...place, state: stateOf(row), ...rest, ...dates, ...ageOf(certificate, at) };
}
