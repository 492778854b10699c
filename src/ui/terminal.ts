/** Decides from facts about the terminal how to talk: live or plain, in colour or not, how wide, and whether to ask. */

/** Below this width live drawing would wrap each line several times (a pty may also claim 0 columns). */
const NARROWEST_LIVE = 40;

/** Width where a terminal does not tell its own. */
const USUAL_WIDTH = 80;

/** What is known of the streams and the environment. */
export interface TerminalFacts {
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Of stdout, or of stderr where stdout is none; undefined or 0 where unknown. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The flags that every verb takes. */
export interface UiFlags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
  readonly noInput: boolean;
}

/** `live` redraws, `plain` writes prefixed lines, `json` writes one document, `quiet` writes errors only. */
export type Mode = 'live' | 'plain' | 'json' | 'quiet';

export interface Terminal {
  readonly mode: Mode;
  readonly color: { readonly stdout: boolean; readonly stderr: boolean };
  /** Characters in a line of a terminal; Infinity where stdout is none. */
  readonly width: number;
  /** The same for stderr. */
  readonly stderrWidth: number;
  /** Whether a question may be asked. */
  readonly interactive: boolean;
}

/** How to talk, given facts and flags. `--json` wins over `--quiet`; CI, TERM=dumb and less than 40 columns are never drawn live. */
export function decideTerminal(facts: TerminalFacts, flags: UiFlags): Terminal {
  const columns = facts.columns === undefined || facts.columns < 1 ? undefined : facts.columns;
  const able = !isCi(facts.env) && facts.env['TERM'] !== 'dumb';
  const live = facts.stderrIsTty && able && columns !== undefined && columns >= NARROWEST_LIVE;
  return {
    mode: flags.json ? 'json' : flags.quiet ? 'quiet' : live ? 'live' : 'plain',
    color: {
      stdout: hasColor(facts.stdoutIsTty, facts.env, flags),
      stderr: hasColor(facts.stderrIsTty, facts.env, flags),
    },
    width: facts.stdoutIsTty ? (columns ?? USUAL_WIDTH) : Number.POSITIVE_INFINITY,
    stderrWidth: facts.stderrIsTty ? (columns ?? USUAL_WIDTH) : Number.POSITIVE_INFINITY,
    interactive: facts.stdinIsTty && facts.stderrIsTty && able && !flags.noInput,
  };
}

/** The facts of a process's own streams. */
export function readTerminal(
  streams: { readonly stdin: { isTTY?: boolean }; readonly stdout: TtyLike; readonly stderr: TtyLike },
  env: TerminalFacts['env'],
): TerminalFacts {
  const { stdin, stdout, stderr } = streams;
  return {
    stdinIsTty: stdin.isTTY === true,
    stdoutIsTty: stdout.isTTY === true,
    stderrIsTty: stderr.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns : stderr.columns,
    env,
  };
}

interface TtyLike {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** CI services set CI to something; `false` and `0` say the contrary. */
function isCi(env: TerminalFacts['env']): boolean {
  return !['', '0', 'false', undefined].includes(env['CI']);
}

/** The order of Node's own streams: a flag, FORCE_COLOR, NO_COLOR (no-color.org: any value but the empty one), then the stream. */
function hasColor(isTty: boolean, env: TerminalFacts['env'], flags: UiFlags): boolean {
  if (flags.noColor) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return isTty && env['TERM'] !== 'dumb';
}
