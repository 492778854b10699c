/** Questions, on a terminal only: elsewhere the answer must come from a flag, and the error names it. */
import type { Readable, Writable } from 'node:stream';
import { QuorateError } from '../domain/errors.ts';
import type { Secrets } from './secrets.ts';
import { clean } from './text.ts';

/** What a question is read from. */
export type PromptInput = Readable & { readonly isTTY?: boolean };

interface Question {
  readonly question: string;
  /** What to give instead of an answer, as it stands in a command: `--yes`, `QUORATE_SSH_PASSWORD`. */
  readonly instead: string;
}

interface Confirmation extends Question {
  /** What must be typed: `yes` (then `y` does too), or a cluster's name. */
  readonly expect: string;
}

interface TextQuestion extends Question {
  readonly initial?: string | undefined;
  /** A complaint about an answer, or undefined. */
  readonly check?: ((answer: string) => string | undefined) | undefined;
}

/** All throw QuorateError: `usage` where nobody can be asked, `interrupted` on Ctrl-C and at the end of the input. */
export interface Prompts {
  /** Whether exactly the expected word was typed. */
  confirm(confirmation: Confirmation): Promise<boolean>;
  askText(question: TextQuestion): Promise<string>;
  /** Not echoed; masked everywhere from then on. */
  askSecret(question: Question): Promise<string>;
}

export interface PromptOptions {
  readonly stdin: PromptInput;
  /** Where questions are drawn: stdout is for results. */
  readonly stderr: Writable;
  readonly interactive: boolean;
  readonly secrets: Pick<Secrets, 'add'>;
}

export function createPrompts(options: PromptOptions): Prompts {
  return {
    confirm: async ({ question, expect, instead }) => {
      const answer = await ask(options, instead, (clack, streams) =>
        clack.text({ message: `${clean(question)} Type ${expect} to go on:`, ...streams }),
      );
      return answer === expect || (expect === 'yes' && answer === 'y');
    },
    askText: ({ question, instead, initial, check }) =>
      ask(options, instead, (clack, streams) =>
        clack.text({
          message: clean(question),
          ...(initial === undefined ? {} : { initialValue: initial }),
          validate: (answer) => check?.(answer ?? ''),
          ...streams,
        }),
      ),
    askSecret: async ({ question, instead }) => {
      const answer = await ask(options, instead, (clack, streams) =>
        clack.password({ message: clean(question), ...streams }),
      );
      options.secrets.add(answer);
      return answer;
    },
  };
}

type Clack = typeof import('@clack/prompts');
type ClackStreams = { readonly input: Readable; readonly output: Writable; readonly signal: AbortSignal };

async function ask(
  options: PromptOptions,
  instead: string,
  pose: (clack: Clack, streams: ClackStreams) => Promise<string | symbol | undefined>,
): Promise<string> {
  if (!options.interactive) {
    throw new QuorateError('usage', 'a question cannot be asked here', {
      hint: `give ${instead}, or run this on a terminal without --no-input`,
    });
  }
  const clack = await import('@clack/prompts');
  // clack waits for ever when its input ends.
  const ended = new AbortController();
  const stop = () => ended.abort();
  options.stdin.once('end', stop).once('close', stop);
  try {
    const answer = await pose(clack, { input: options.stdin, output: options.stderr, signal: ended.signal });
    if (typeof answer === 'symbol')
      throw new QuorateError('interrupted', 'interrupted while asking; nothing was changed');
    return answer ?? '';
  } finally {
    options.stdin.off('end', stop).off('close', stop);
  }
}
