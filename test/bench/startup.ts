/** What starting costs: `--help` and `validate` over a Node that runs nothing. */
import type { Arena } from './arena.ts';
import { program } from './files.ts';
import type { Startup } from './limits.ts';
import { measure, spreadOf } from './measure.ts';

/** Runs each once a round, one after another. */
export async function measureStartup(arena: Arena, rounds: number): Promise<Startup> {
  const wall = async (args: readonly string[]): Promise<number> =>
    (await measure([process.execPath, ...args], { signal: arena.signal, cwd: arena.work })).wallMs;
  const times: Readonly<Record<keyof Startup, number[]>> = { node: [], help: [], validate: [] };
  for (let round = 0; round < rounds; round += 1) {
    times.node.push(await wall(['--eval', '0']));
    times.help.push(await wall([program, '--help']));
    times.validate.push(await wall([program, 'validate', '-i', arena.inventory]));
  }
  return { node: spreadOf(times.node), help: spreadOf(times.help), validate: spreadOf(times.validate) };
}
