/** All tools on one lab by turns: from bare hosts to a healthy cluster, and again with nothing to do. */
import type { Say } from '../../src/lab/say.ts';
import type { Arena } from './arena.ts';
import { ansible, type Contender, pyinfra, quorate } from './contenders.ts';
import { floor } from './floor.ts';
import type { Contest } from './limits.ts';
import { spreadOf } from './measure.ts';
import type { Tools } from './tools.ts';
import { verifyCluster, verifyUndisturbed } from './verify.ts';

interface Times {
  readonly deploy: number[];
  readonly again: number[];
}

/** By turns, so that what the machine does besides hits each alike. */
export async function measureContest(
  arena: Arena,
  tools: Tools,
  { rounds, say }: { readonly rounds: number; readonly say: Say },
): Promise<Contest> {
  const contenders = [quorate(arena), ansible(arena, tools), pyinfra(arena, tools), await floor(arena)];
  const none = (): Times => ({ deploy: [], again: [] });
  const times = { quorate: none(), ansible: none(), pyinfra: none(), floor: none() };
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      await arena.wipe();
      const { deploy, again } = await takeTurn(arena, contender);
      times[contender.name].deploy.push(deploy);
      if (again !== undefined) times[contender.name].again.push(again);
      const words = again === undefined ? '' : `, again ${again.toFixed(0)} ms`;
      say(`round ${round + 1} of ${rounds}: ${contender.name} ${deploy.toFixed(0)} ms${words}`);
    }
  }
  await arena.wipe();
  return spreadsOf(times);
}

async function takeTurn(
  arena: Arena,
  contender: Contender,
): Promise<{ readonly deploy: number; readonly again: number | undefined }> {
  const deploy = await contender.deploy();
  const processes = await verifyCluster(arena).catch((cause: unknown) => {
    throw new Error(`${contender.name} did not do the job`, { cause });
  });
  if (contender.again === undefined) return { deploy, again: undefined };
  const again = await contender.again();
  await verifyUndisturbed(arena, processes);
  return { deploy, again };
}

function spreadsOf({ quorate, ansible, pyinfra, floor }: Readonly<Record<Contender['name'], Times>>): Contest {
  return {
    deploy: {
      quorate: spreadOf(quorate.deploy),
      ansible: spreadOf(ansible.deploy),
      pyinfra: spreadOf(pyinfra.deploy),
      floor: spreadOf(floor.deploy),
    },
    again: { quorate: spreadOf(quorate.again), ansible: spreadOf(ansible.again), pyinfra: spreadOf(pyinfra.again) },
  };
}
