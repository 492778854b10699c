/** What the certificates' report means to the doctor. Pure. */
import type { Sign } from '../domain/finding.ts';
import type { SymptomId } from '../domain/symptoms.ts';
import type { CertificateReport } from './certificate-report.ts';
import type { Finding, FindingCode } from './certificate-row.ts';

/** Told by other symptoms: hosts that can't be reached, members that don't listen. */
const elsewhere: readonly FindingCode[] = ['unreachable', 'not-seen'];

/** A sign for each finding of each row. */
export function certificateSigns({ rows }: Pick<CertificateReport, 'rows'>): readonly Sign[] {
  return rows.flatMap(({ where, host, findings }) =>
    findings
      .filter((each) => !elsewhere.includes(each.code))
      .map((each) => ({ id: symptomOf(each), host: host ?? '', text: `${nameless(where, host)}: ${each.text}` })),
  );
}

/** `server.crt` of `etcd-1 server.crt`, since a sign names its host. */
function nameless(where: string, host: string | undefined): string {
  return host !== undefined && where.startsWith(`${host} `) ? where.slice(host.length + 1) : where;
}

function symptomOf({ code, level }: Finding): SymptomId {
  switch (code) {
    case 'expired':
      return 'certificate-expired';
    case 'not-yet-valid':
    case 'host-clock':
      return 'certificate-early';
    case 'expires':
    case 'authority-ends':
      return 'certificate-ending';
    case 'key-mismatch':
      return 'key-mismatch';
    default:
      return level === 'critical' ? 'certificate-wrong' : 'certificate-doubtful';
  }
}
