/** A real terminal for tests: tmux draws what a program writes, and tells what a person would see. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether this machine has tmux. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

export interface Screen {
  /** The screen as soon as it matches, spinners as `*`, without blank lines at the end; throws with the last screen after 20 s. */
  until(pattern: RegExp): Promise<string>;
  /** The screen with its escape sequences for colours. */
  coloured(): string;
  /** Types keys as tmux names them: `C-c`, `Enter`, or text. */
  type(...keys: string[]): void;
  cursorShown(): boolean;
  close(): void;
}

export interface ScreenOptions {
  readonly columns: number;
  readonly env: Readonly<Record<string, string>>;
  /** A line for sh; its exit status is shown as `exit N`. */
  readonly command: string;
}

let opened = 0;

/** A terminal of 40 rows of its own that runs the command; the environment has TERM and what is given, not CI or colour settings. */
export function openScreen({ columns, env, command }: ScreenOptions): Screen {
  opened += 1;
  const socket = join(tmpdir(), `quorate-screen-${process.pid}-${opened}`);
  const tmux = (...words: string[]) =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  const unset = ['CI', 'NO_COLOR', 'FORCE_COLOR'].flatMap((name) => ['-u', name]);
  const set = Object.entries({ TERM: 'xterm-256color', ...env }).map(([name, value]) => `${name}=${value}`);
  const program = ['env', ...unset, ...set, 'sh', '-c', `trap : INT; ${command}; echo "exit $?"; exec sleep 600`];
  tmux('new-session', '-d', '-x', String(columns), '-y', '40', ...program);
  const look = (...words: string[]) => tmux('capture-pane', '-p', ...words).trimEnd();
  return {
    until: async (pattern) => {
      const deadline = Date.now() + 20_000;
      for (let screen = ''; ; await sleep(40)) {
        screen = look().replaceAll(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, '*');
        if (pattern.test(screen)) return screen;
        if (Date.now() > deadline) throw new Error(`${pattern} was not seen on:\n${screen}`);
      }
    },
    coloured: () => look('-e'),
    type: (...keys) => void tmux('send-keys', ...keys),
    cursorShown: () => tmux('display', '-p', '#{cursor_flag}').trim() === '1',
    close: () => {
      tmux('kill-server');
      rmSync(socket, { force: true });
    },
  };
}
