/** Looks at a cluster as far as it lets itself be looked at: with etcd's answers, or without where there is no key to ask with. */
import { X509Certificate } from 'node:crypto';
import type { Cluster } from '../domain/cluster.ts';
import { QuorateError } from '../domain/errors.ts';
import { type ClusterHealth, clusterHealth } from '../domain/health.ts';
import type { MetricsFacts } from '../domain/metrics.ts';
import { type CertificateReport, reportCertificates } from '../plan/certificate-report.ts';
import type { View } from '../plan/view.ts';
import type { Ports, Session } from './command.ts';

/** What both verbs judge by. */
export interface Examination {
  readonly session: Session;
  readonly view: View;
  readonly health: ClusterHealth;
  /** Why etcd was not asked; undefined where it was. */
  readonly notAsked: string | undefined;
  readonly certificates: CertificateReport;
  readonly metrics: MetricsFacts;
  readonly metricsTexts: Readonly<Record<string, string>>;
}

/** Gives `use` everything that is seen, and closes the session after it. Hosts that can't be reached are facts. */
export async function examine<T>(
  cluster: Cluster,
  ports: Ports,
  use: (examination: Examination) => Promise<T>,
): Promise<T> {
  const { session, notAsked } = await open(cluster, ports);
  try {
    const [evidence, metrics] = await Promise.all([session.inquiry.certificates(), session.inquiry.metrics()]);
    const view = notAsked === undefined ? session.view : { ...session.view, facts: unasked(session.view) };
    return await use({
      ...{ session, view, notAsked },
      health: clusterHealth(cluster, view.facts, (pem) => Date.parse(new X509Certificate(pem).validTo)),
      certificates: reportCertificates(evidence, { warnMs: undefined, critMs: undefined }),
      ...{ metrics: metrics.facts, metricsTexts: metrics.texts },
    });
  } finally {
    await session.close();
  }
}

async function open(
  cluster: Cluster,
  ports: Ports,
): Promise<{ readonly session: Session; readonly notAsked: string | undefined }> {
  try {
    const session = await ports.session(cluster, { endpoints: true, requireAll: false });
    const none = session.view.pki.admin === undefined;
    return { session, notAsked: none ? `${cluster.stateDir} holds no certificate for etcd` : undefined };
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'refused') throw error;
    return { session: await ports.session(cluster, { endpoints: false, requireAll: false }), notAsked: error.message };
  }
}

function unasked({ facts }: View): View['facts'] {
  return { ...facts, endpoints: {} };
}
