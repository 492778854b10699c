/** What a rolling change of three members costs over a plain loop that restarts them one after another behind the same gates. */
import { readFile, writeFile } from 'node:fs/promises';
import { sshCommand } from '../../src/lab/lab.ts';
import type { Say } from '../../src/lab/say.ts';
import type { Arena } from './arena.ts';
import { quorate } from './contenders.ts';
import { program } from './files.ts';
import type { Rolling } from './limits.ts';
import { type Measured, measure, spreadOf } from './measure.ts';
import { verifyCluster } from './verify.ts';

const SETTING = 'quota-backend-bytes';
const [OLD, NEW] = ['4294967296', '2147483648'];

/** Each round `apply` puts the new value, and the loop the old one. */
export async function measureRolling(
  arena: Arena,
  { rounds, say }: { readonly rounds: number; readonly say: Say },
): Promise<Rolling> {
  await arena.wipe();
  const original = await readFile(arena.inventory, 'utf8');
  const want = (value: string): Promise<void> =>
    writeFile(arena.inventory, `${original}etcd:\n  ${SETTING}: ${value}\n`);
  const times = { quorate: [] as number[], loop: [] as number[] };
  try {
    await want(OLD);
    await quorate(arena).deploy();
    for (let round = 0; round < rounds; round += 1) {
      await want(NEW);
      times.quorate.push(await restarting(arena, async () => (await run(arena, ['apply', '--yes'])).wallMs));
      await want(OLD);
      times.loop.push(await restarting(arena, () => loop(arena, OLD)));
      await run(arena, ['plan', '--exit-code']);
      const [ours, theirs] = [times.quorate, times.loop].map((each) => `${each.at(-1)?.toFixed(0)} ms`);
      say(`round ${round + 1} of ${rounds}: a rolling change, apply ${ours}, loop ${theirs}`);
    }
  } finally {
    await writeFile(arena.inventory, original);
    await arena.wipe();
  }
  return { quorate: spreadOf(times.quorate), loop: spreadOf(times.loop) };
}

function run(arena: Arena, args: readonly string[]): Promise<Measured> {
  return measure([process.execPath, program, ...args, '-i', arena.inventory], {
    cwd: arena.work,
    env: { HOME: arena.work, XDG_CONFIG_HOME: '', CI: 'true' },
    signal: arena.signal,
  });
}

/** @throws Error where one of the processes is still the one from before, or the cluster is not as it must be */
async function restarting(arena: Arena, change: () => Promise<number>): Promise<number> {
  const before = await verifyCluster(arena);
  const elapsed = await change();
  const after = await verifyCluster(arena);
  if (after.some((each) => before.includes(each))) throw new Error('a member was not restarted');
  return elapsed;
}

/** One ssh session a member, the leader last; who leads is known to it beforehand. */
async function loop(arena: Arena, value: string): Promise<number> {
  const turns = await turnsOf(arena);
  const startedAt = performance.now();
  for (const { name, successor } of turns) {
    const session = ['sudo', 'sh', '-ec', `'${turn(value, successor)}'`].join(' ');
    await measure(sshCommand(arena.lab, name, [session]), { signal: arena.signal });
  }
  return performance.now() - startedAt;
}

/** Followers, and the leader with the ID of the member that takes over from it. */
async function turnsOf(arena: Arena): Promise<readonly { readonly name: string; readonly successor: string }[]> {
  const { members } = JSON.parse((await run(arena, ['status', '--json'])).stdout);
  const known: readonly { readonly name: string; readonly id: string; readonly isLeader: boolean }[] = members;
  const followers = known.filter((each) => !each.isLeader);
  return [
    ...followers.map(({ name }) => ({ name, successor: '' })),
    ...known.filter((each) => each.isLeader).map(({ name }) => ({ name, successor: followers[0]?.id ?? '' })),
  ];
}

/**
 * The setting, the restart, and the gate of src/apply/gate.ts: looked at every 500 ms, a read through the quorum and one leader that all members agree on, for
 * 3 s. It locks, compares, proves and records nothing.
 */
function turn(value: string, successor: string): string {
  return `. /etc/profile.d/etcdctl.sh
sed -i "s/^${SETTING}: .*/${SETTING}: ${value}/" /etc/etcd/etcd-config.yml
${successor === '' ? '' : `etcdctl move-leader ${successor} >/dev/null`}
systemctl restart etcd
well() {
  etcdctl get / --keys-only >/dev/null 2>&1 || return 1
  leaders=$(etcdctl endpoint status --cluster -w fields 2>/dev/null | grep "^.Leader. :" | sort | uniq -c)
  set -- $leaders
  [ $# = 4 ] && [ "$1" = 3 ]
}
held=
for poll in $(seq 120); do
  now=$(date +%s%N)
  if well; then held=\${held:-$now}; else held=; fi
  [ -z "$held" ] || [ $((now - held)) -lt 3000000000 ] || exit 0
  sleep 0.5
done
exit 1`;
}
