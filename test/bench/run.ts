/** `npm run bench`: measures quorate against Ansible, pyinfra, the floor and openssl; prints and writes what came out. */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Arena, openArena } from './arena.ts';
import { measureContest } from './contest.ts';
import { root } from './files.ts';
import { measureIssuing } from './issuing.ts';
import { judgeContest, judgeCrowd, judgeIssuing, judgeRolling, judgeStartup, type Verdict } from './limits.ts';
import * as report from './report.ts';
import { measureRolling } from './rolling.ts';
import { measureScale } from './scale.ts';
import { measureStartup } from './startup.ts';
import { ensureTools, type Tools } from './tools.ts';

const say = (line: string): void => {
  process.stderr.write(`bench: ${line}\n`);
};

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
  },
});
/** The contest has the narrowest limits; starts are cheap. */
const rounds = options.quick
  ? { contest: 2, startup: 10, rolling: 2, scale: 2, certificates: 2 }
  : { contest: 7, startup: 30, rolling: 5, scale: 5, certificates: 5 };
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
process.once('SIGTERM', () => interrupt.abort());
process.exitCode = await run().catch((error: unknown) => {
  if (!interrupt.signal.aborted) throw error;
  say('interrupted; the labs are removed');
  return 130;
});

interface Part {
  readonly verdicts: readonly Verdict[];
  readonly section: string;
}

type Parts = Readonly<Record<'contest' | 'startup' | 'rolling' | 'scale' | 'certificates', () => Promise<Part>>>;

/** Exit status 0 when every limit holds. Only a whole run that is not quick is written down. */
async function run(): Promise<number> {
  const tools = await ensureTools(say);
  const loadBefore = loadavg();
  const arena = await openArena(say, interrupt.signal);
  try {
    const parts = partsOf(arena, tools);
    const names = Object.keys(parts).filter((name) => wanted.length === 0 || wanted.includes(name));
    const done: Part[] = [];
    for (const [name, measurePart] of Object.entries(parts)) if (names.includes(name)) done.push(await measurePart());
    const verdicts = done.flatMap((each) => each.verdicts);
    const about = describeCircumstances(arena, tools, loadBefore);
    const text = report.document(
      about,
      verdicts,
      done.map((each) => each.section),
    );
    if (options.quick || wanted.length > 0) process.stdout.write(text);
    else {
      await writeFile(join(root, 'docs/benchmarks.md'), text);
      process.stdout.write(`${report.verdictTable(verdicts)}\n\nwritten: docs/benchmarks.md\n`);
    }
    return verdicts.every(({ holds }) => holds) ? 0 : 2;
  } finally {
    await arena.down();
  }
}

/** The parts that can be asked for by name, in the order of the page. */
function partsOf(arena: Arena, tools: Tools): Parts {
  return {
    contest: async () => {
      const contest = await measureContest(arena, tools, { rounds: rounds.contest, say });
      return { verdicts: judgeContest(contest), section: report.contestSection(contest) };
    },
    startup: async () => {
      say('start-up');
      const startup = await measureStartup(arena, rounds.startup);
      return { verdicts: judgeStartup(startup), section: report.startupSection(startup) };
    },
    rolling: async () => {
      const rolling = await measureRolling(arena, { rounds: rounds.rolling, say });
      return { verdicts: judgeRolling(rolling), section: report.rollingSection(rolling) };
    },
    scale: async () => {
      const crowd = await measureScale(arena, tools, { rounds: rounds.scale, say });
      return { verdicts: judgeCrowd(crowd), section: report.crowdSection(crowd) };
    },
    certificates: async () => {
      const issuing = await measureIssuing(rounds.certificates, { say, signal: interrupt.signal });
      return { verdicts: judgeIssuing(issuing), section: report.issuingSection(issuing) };
    },
  };
}

function describeCircumstances(arena: Arena, tools: Tools, loadBefore: readonly number[]): report.Circumstances {
  const [cpu] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const load = (all: readonly number[]): string => (all[0] ?? 0).toFixed(1);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${gibibytes} GiB`,
    load: `${load(loadBefore)}, ${load(loadavg())} (the benchmark's own included)`,
    rounds: Object.entries(rounds)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    versions: `Node ${process.versions.node}, etcd ${arena.release.version}, ansible-core ${tools.versions['ansible-core']}, pyinfra ${tools.versions.pyinfra}`,
  };
}
