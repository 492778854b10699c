/** What starting costs: `--help` and `validate` over a Node that runs nothing. */
import type { Arena } from './arena.ts';
import { program } from './files.ts';
import { measure } from './measure.ts';

/** Wall times in milliseconds, one entry a round. */
export interface Startup {
  readonly node: readonly number[];
  readonly help: readonly number[];
  readonly validate: readonly number[];
}

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
  return times;
}
