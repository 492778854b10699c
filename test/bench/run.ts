/** `npm run bench`: measures quorate against Ansible, pyinfra and the floor; prints and writes what came out. */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Arena, openArena } from './arena.ts';
import { ansible, type Contender, pyinfra, quorate } from './contenders.ts';
import { root } from './files.ts';
import { floor } from './floor.ts';
import { judge, type Medians } from './limits.ts';
import { spreadOf } from './measure.ts';
import { type Circumstances, type Curve, document, verdictTable } from './report.ts';
import { MOST_HOSTS, measureScale, type Scale } from './scale.ts';
import { measureStartup } from './startup.ts';
import { ensureTools, type Tools } from './tools.ts';

const say = (line: string): void => {
  process.stderr.write(`bench: ${line}\n`);
};

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
  },
});
const rounds = options.quick ? 2 : 5;
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
process.once('SIGTERM', () => interrupt.abort());
process.exitCode = await run().catch((error: unknown) => {
  if (!interrupt.signal.aborted) throw error;
  say('interrupted; the labs are removed');
  return 130;
});

/** Exit status 0 when every limit holds. */
async function run(): Promise<number> {
  const tools = await ensureTools(say);
  const loadBefore = loadavg();
  const arena = await openArena(say, interrupt.signal);
  try {
    const times = await contest(arena, tools);
    say('start-up');
    const startup = await measureStartup(arena, rounds * 4);
    const scale = await measureScale(arena, tools, { rounds, say });
    const medians = mediansOf(times, startup, scale);
    const verdicts = judge(medians);
    const circumstances = describeCircumstances(arena, tools, loadBefore);
    const text = document({ circumstances, medians, curve: curveOf(scale), verdicts });
    if (options.quick) process.stdout.write(text);
    else {
      await writeFile(join(root, 'docs/benchmarks.md'), text);
      process.stdout.write(`${verdictTable(verdicts)}\n\nwritten: docs/benchmarks.md\n`);
    }
    return verdicts.every(({ holds }) => holds) ? 0 : 2;
  } finally {
    await arena.down();
  }
}

interface Times {
  readonly deploy: number[];
  readonly again: number[];
}

/** All tools by turns, so that what the machine does besides hits each alike. */
async function contest(arena: Arena, tools: Tools): Promise<Readonly<Record<Contender['name'], Times>>> {
  const contenders = [quorate(arena), ansible(arena, tools), pyinfra(arena, tools), await floor(arena)];
  const none = (): Times => ({ deploy: [], again: [] });
  const times = { quorate: none(), ansible: none(), pyinfra: none(), floor: none() };
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      await arena.wipe();
      const deploy = await contender.deploy();
      const again = await contender.again?.();
      times[contender.name].deploy.push(deploy);
      if (again !== undefined) times[contender.name].again.push(again);
      const words = [
        `${contender.name} ${deploy.toFixed(0)} ms`,
        ...(again === undefined ? [] : [`again ${again.toFixed(0)} ms`]),
      ];
      say(`round ${round + 1} of ${rounds}: ${words.join(', ')}`);
    }
  }
  await arena.wipe();
  return times;
}

function mediansOf(
  times: Awaited<ReturnType<typeof contest>>,
  startup: Awaited<ReturnType<typeof measureStartup>>,
  scale: Scale,
): Medians {
  const most = scale.plan.get(MOST_HOSTS) ?? [];
  return {
    deploy: {
      quorate: spreadOf(times.quorate.deploy),
      ansible: spreadOf(times.ansible.deploy),
      pyinfra: spreadOf(times.pyinfra.deploy),
      floor: spreadOf(times.floor.deploy),
    },
    again: {
      quorate: spreadOf(times.quorate.again),
      ansible: spreadOf(times.ansible.again),
      pyinfra: spreadOf(times.pyinfra.again),
    },
    startup: {
      node: spreadOf(startup.node),
      help: spreadOf(startup.help),
      validate: spreadOf(startup.validate),
    },
    crowd: {
      plan: spreadOf(most.map(({ wallMs }) => wallMs)),
      planPeakBytes: spreadOf(most.map(({ peakBytes }) => peakBytes ?? Number.POSITIVE_INFINITY)),
      pyinfra: spreadOf(scale.pyinfra.map(({ wallMs }) => wallMs)),
    },
  };
}

function curveOf(scale: Scale): readonly Curve[] {
  return [...scale.plan].map(([hosts, runs]) => ({
    hosts,
    wall: spreadOf(runs.map(({ wallMs }) => wallMs)),
    peakBytes: spreadOf(runs.map(({ peakBytes }) => peakBytes ?? Number.POSITIVE_INFINITY)),
  }));
}

function describeCircumstances(arena: Arena, tools: Tools, loadBefore: readonly number[]): Circumstances {
  const [cpu] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const load = (all: readonly number[]): string => (all[0] ?? 0).toFixed(1);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${gibibytes} GiB`,
    load: `${load(loadBefore)}, ${load(loadavg())} (the benchmark's own included)`,
    rounds,
    versions: `Node ${process.versions.node}, etcd ${arena.release.version}, ansible-core ${tools.versions['ansible-core']}, pyinfra ${tools.versions.pyinfra}`,
  };
}
