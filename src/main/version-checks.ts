/** What a minor of etcd would not start with, or would start wrongly with: looked for on the hosts before the first member gets it. */
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { binaryDir, walFolder } from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';
import type { Step } from '../domain/step.ts';
import { minorOf } from '../domain/version.ts';
import type { Connection } from '../transport/transport.ts';
import type { Reach } from './member-clients.ts';

interface CheckContext extends Reach {
  readonly signal: AbortSignal;
}

/** etcd 3.6 refuses data that was written through the v2 API (etcdserver/storage/util.go, AssertNoV2StoreContent). @throws QuorateError refused, every host that has some */
export async function requireMinorStarts(step: Step<'version.check'>, context: CheckContext): Promise<void> {
  if (minorOf(step.to) !== '3.6' || minorOf(step.from) !== '3.5') return;
  const { connections } = context;
  const found = await Promise.all([...connections.values()].map((each) => v2Content(each, step.from, context)));
  const errors = found.flat();
  if (errors.length > 0)
    throw combineErrors(`${errors.length} members hold v2 data, which etcd 3.6 does not start with`, errors);
}

/** `etcdutl check v2store` reads the last raft snapshot and, from 3.5.32 on, the log behind it; 3.6 has it no more. */
async function v2Content(
  connection: Connection,
  version: string,
  context: CheckContext,
): Promise<readonly QuorateError[]> {
  const { cluster, signal } = context;
  const { dataDir, walDir } = cluster.paths;
  const etcdutl = `${binaryDir({ ...cluster, version })}/etcdutl`;
  const wal = walDir === undefined ? '' : ` --wal-dir ${quote(walFolder(cluster))}`;
  const script = `[ -x ${quote(etcdutl)} ] || exit 0\n${quote(etcdutl)} check v2store --data-dir ${quote(dataDir)}${wal} 2>&1`;
  const { host } = connection;
  const { status, stdout } = await connection.run(
    { script, root: true, label: 'looking for v2 data' },
    { timeoutMs: 120_000, signal },
  );
  if (status === 0) return [];
  const said = stdout.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  return [
    new QuorateError('refused', `${host}: etcdutl check v2store: ${said}`, {
      host,
      hint: 'take the v2 keys away while 3.5 runs (ETCDCTL_API=2 etcdctl rm --recursive), let members write a raft snapshot, and plan again',
    }),
  ];
}
