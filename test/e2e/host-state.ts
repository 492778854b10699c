/** What stands on lab hosts, to compare before and after: a run that refuses changes none of it. */
import { expect } from 'vitest';
import type { LabHost } from '../../src/lab/host.ts';
import type { Run, Stage } from './stage.ts';

const snapshotScript = `for each in /etc/etcd /etc/systemd/system /etc/default /var/lib/quorate /usr/local/lib/etcd /usr/local/bin $*; do
  [ -e "$each" ] || { echo "absent $each"; continue; }
  find "$each" ! -name lock.mutex ! -path "$each" -printf '%p %y %m %u:%g %l\\n' | sort
  find "$each" -type f ! -name lock.mutex -printf '%p %s %T@\\n' | sort
  find "$each" -type f ! -name lock.mutex -size -1M -exec sha256sum {} + | sort -k 2
done
getent passwd etcd || echo 'no account'
systemctl show etcd.service -p ActiveState,SubState,MainPID,InvocationID,NRestarts,UnitFileState,DropInPaths
apt-mark showhold
`;

/** Everything that quorate could have changed on a host: names, owners, modes, hashes, unit, account. `data` names folders besides. */
async function snapshotHost(host: LabHost, ...data: readonly string[]): Promise<string> {
  return host.sh(['sh', '-c', snapshotScript, 'sh', ...data]);
}

/** The snapshots of the hosts that run. */
async function snapshotAll(stage: Stage, ...data: readonly string[]): Promise<readonly string[]> {
  const running = await Promise.all(stage.lab.hosts.map(async (host) => ((await host.isRunning()) ? [host] : [])));
  return Promise.all(running.flat().map((host) => snapshotHost(host, ...data)));
}

/** Runs quorate and expects exit status, words of message and hint, and hosts as they were. */
export async function expectRefusal(
  stage: Stage,
  args: readonly string[],
  wish: { readonly status: number; readonly words: readonly (string | RegExp)[]; readonly data?: readonly string[] },
): Promise<Run> {
  const data = wish.data ?? ['/var/lib/etcd'];
  const before = await snapshotAll(stage, ...data);
  const run = await stage.quorate(args);
  expectWords(run, wish.words);
  expect(run.status).toBe(wish.status);
  expect(await snapshotAll(stage, ...data)).toEqual(before);
  return run;
}

/** Every one of `words` stands in what the run said. */
export function expectWords(run: Run, words: readonly (string | RegExp)[]): void {
  for (const each of words) expect(run.stdout + run.stderr).toEqual(expect.stringMatching(pattern(each)));
}

/** A step or a message may be wrapped; spaces are then line ends. */
function pattern(words: string | RegExp): RegExp {
  if (words instanceof RegExp) return words;
  return new RegExp(words.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+'));
}

/** Members healthy and nothing to do: how a cluster stands after everything was mended. */
export async function expectHealthy(stage: Stage): Promise<void> {
  const status = await stage.quorate(['status']);
  expect(status.stdout + status.stderr).toContain(`cluster ${stage.cluster}: healthy`);
  expect(status.status).toBe(0);
  const plan = await stage.quorate(['plan', '--exit-code']);
  expect(plan.stdout).toContain('nothing to do');
  expect(plan.status).toBe(0);
}
