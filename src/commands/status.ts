/** quorate status: members, versions, leader, sizes, alarms, and the certificates that are served. */
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterHealth, clusterHealth, healthStatus, type MemberHealth } from '../domain/health.ts';
import { plaintextPorts, plaintextWarnings } from '../domain/plaintext.ts';
import { flag, type Session, type Verb, type VerbCell, type VerbTable, type VerbUi } from './command.ts';

/** Between two looks with `--watch`. */
const WATCH_MS = 2_000;

export const status: Verb = async (invocation, ports) => {
  const cluster = await ports.cluster();
  const session = await ports.session(cluster, { endpoints: true, requireAll: false });
  try {
    for (;;) {
      const health = healthOf(session);
      const plaintext = plaintextPorts(cluster, session.view.facts);
      const told = { ...health, plaintext };
      if (ports.ui.mode === 'json' && !flag(invocation, 'watch')) ports.ui.json({ cluster: cluster.name, ...told });
      else if (ports.ui.mode === 'json')
        ports.ui.line(JSON.stringify({ at: new Date(ports.now()).toISOString(), ...told }));
      else show(health, { name: cluster.name, warnings: plaintextWarnings(plaintext), ui: ports.ui, now: ports.now() });
      if (!flag(invocation, 'watch')) return healthStatus(health);
      await sleep(WATCH_MS);
      await session.refresh();
    }
  } finally {
    await session.close();
  }
};

function healthOf(session: Session): ClusterHealth {
  const { cluster, facts } = session.view;
  return clusterHealth(cluster, facts, (pem) => Date.parse(new X509Certificate(pem).validTo));
}

interface Shown {
  readonly name: string;
  readonly warnings: readonly string[];
  readonly ui: VerbUi;
  readonly now: number;
}

function show(health: ClusterHealth, { name, warnings, ui, now }: Shown): void {
  ui.table(statusTable(health, now));
  for (const each of health.members) for (const problem of each.problems) ui.out(`! ${each.name}: ${problem}`);
  for (const problem of health.problems) ui.out(`! ${problem}`);
  for (const alarm of health.alarms) ui.out(`! alarm ${alarm}`);
  for (const each of warnings) ui.out(`! ${each}`);
  const words = { healthy: 'healthy', degraded: 'degraded: quorum holds', 'no-quorum': 'NO QUORUM' } as const;
  ui.out(`cluster ${name}: ${words[health.state]}`);
}

function statusTable(health: ClusterHealth, now: number): VerbTable {
  return {
    columns: [
      { title: 'member' },
      { title: 'id' },
      { title: 'state' },
      { title: 'role' },
      { title: 'version' },
      { title: 'term', align: 'right', optional: true },
      { title: 'db', align: 'right' },
      { title: 'lag', align: 'right', optional: true },
      { title: 'certificate' },
    ],
    rows: health.members.map((each) => memberRow(each, now)),
  };
}

function memberRow(member: MemberHealth, now: number): readonly VerbCell[] {
  const role = member.isLeader ? 'leader' : member.role;
  return [
    member.name,
    member.id,
    member.healthy ? { text: 'healthy', level: 'good' } : { text: 'down', level: 'bad' },
    role,
    versions(member),
    String(member.term),
    `${(member.dbSizeBytes / 1_048_576).toFixed(1)} MiB`,
    String(member.lag),
    expiry(member.servedUntil, now),
  ];
}

function versions(member: MemberHealth): VerbCell {
  const { versionOnDisk: disk, versionRunning: running } = member;
  if (running === '') return { text: disk === '' ? '-' : `${disk} (not running)`, level: 'bad' };
  return disk === '' || disk === running ? running : { text: `${running} (on disk ${disk})`, level: 'warn' };
}

function expiry(end: number | undefined, now: number): VerbCell {
  if (end === undefined) return { text: '-', level: 'faint' };
  const days = Math.floor((end - now) / 86_400_000);
  const level = days < 7 ? 'bad' : days < 30 ? 'warn' : 'good';
  return { text: days < 0 ? `expired ${-days} d ago` : `${days} d`, level };
}
