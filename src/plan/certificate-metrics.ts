/** The certificates' report in Prometheus' text format (version 0.0.4), for a node exporter's textfile folder or a push. Pure. */
import { type CertificateReport, reportStatus, stateOf } from './certificate-report.ts';
import type { CertificateRow } from './certificate-row.ts';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

const stateValue = { ok: 0, warning: 1, critical: 2 } as const;

/** All families, each with HELP and TYPE, ending with a line feed. Times are Unix seconds. */
export function printMetrics(report: CertificateReport): string {
  const { cluster, rows, at } = report;
  const dated = rows.flatMap((row) => (row.certificate === undefined ? [] : [{ row, life: row.certificate }]));
  const times = (pick: 'notBefore' | 'notAfter'): readonly Sample[] =>
    dated.map(({ row, life }) => ({ labels: labelsOf(cluster, row), value: life[pick] / 1000 }));
  return [
    family('quorate_certificate_not_after_timestamp_seconds', 'End of validity.', times('notAfter')),
    family('quorate_certificate_not_before_timestamp_seconds', 'Begin of validity.', times('notBefore')),
    family(
      'quorate_certificate_state',
      'What is said of this place: 0 ok, 1 warning, 2 critical.',
      rows.map((row) => ({ labels: labelsOf(cluster, row), value: stateValue[stateOf(row)] })),
    ),
    family('quorate_certificate_finding', 'Something that is not as it should be.', findingSamples(report)),
    family('quorate_certificates_check_status', 'Exit status of the check: 0 ok, 2 warnings, 3 critical.', [
      { labels: { cluster }, value: reportStatus(report) },
    ]),
    family('quorate_certificates_check_timestamp_seconds', 'When it was checked.', [
      { labels: { cluster }, value: at / 1000 },
    ]),
  ].join('');
}

/** One series a place and code, however often the code is said there. */
function findingSamples({ cluster, rows }: CertificateReport): readonly Sample[] {
  return rows.flatMap((row) => {
    const codes = new Map(row.findings.map((each) => [`${each.level} ${each.code}`, each]));
    return [...codes.values()].map(({ level, code }) => ({
      labels: { cluster, host: row.host ?? '', where: row.where, level, finding: code },
      value: 1,
    }));
  });
}

function labelsOf(cluster: string, row: CertificateRow): Labels {
  const common = row.certificate?.commonName ?? '';
  return { cluster, kind: row.kind, host: row.host ?? '', where: row.where, common_name: common };
}

function family(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => `${name}{${printLabels(labels)}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function printLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

/** Backslash, quote and line feed are all that the format escapes; other control characters have no place in it. */
function escapeLabel(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return escaped.replace(/\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '');
}
