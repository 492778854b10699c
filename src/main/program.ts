/** The command line: commander's program, made from the table of verbs. */
import { Command, CommanderError, Option } from 'commander';
import type { CommandEntry, Invocation, OptionEntry, Verb } from '../commands/command.ts';
import { commands, exitCodes, groups } from '../commands/index.ts';
import { QuorateError } from '../domain/errors.ts';
import { TOOL_VERSION } from '../plan/saved-plan.ts';

/** What the command line asked for; undefined when it asked for help or the version, which was printed. */
export interface Request {
  readonly verb: string;
  readonly invocation: Invocation;
  readonly load: () => Promise<Verb>;
}

const general: readonly OptionEntry[] = [
  { flags: '--json', description: 'one JSON document on stdout, nothing else' },
  { flags: '--quiet', description: 'errors only' },
  { flags: '--verbose', description: 'more of what happens, and details of errors' },
  { flags: '--no-color', description: 'no colours (also: NO_COLOR)' },
  { flags: '--no-input', description: 'never ask' },
];

const exitCodesHelp = `\nExit codes:\n${exitCodes.map(([code, text]) => `  ${String(code).padEnd(4)} ${text}`).join('\n')}`;

/**
 * Parses the arguments.
 * @throws QuorateError usage
 */
export async function parseArguments(argv: readonly string[]): Promise<Request | undefined> {
  let found: Request | undefined;
  const program = new Command('quorate')
    .description(
      'Provisioning and certificate automation for etcd: from an inventory to a secured, healthy cluster over SSH.',
    )
    .version(TOOL_VERSION)
    .configureHelp({ showGlobalOptions: false })
    .helpCommand('help [verb...]', 'the same as VERB --help')
    .addHelpText('after', exitCodesHelp);
  prepare(program);
  const made = new Map<string, Command>();
  for (const entry of commands) {
    const parent = parentOf(program, made, entry.name);
    if (!mentions(argv, entry.name)) {
      // Its line in the list of verbs shows that it has options.
      nameCommand(parent, entry).addOption(new Option('--json'));
      continue;
    }
    addCommand(parent, entry, (request) => {
      found = request;
    });
  }
  try {
    await program.parseAsync([...helpAsOption(argv)], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return outcomeOf(error);
    throw error;
  }
  return found;
}

/** `help certs check` as `certs check --help`: commander's own looks one word deep and takes any word. */
function helpAsOption(argv: readonly string[]): readonly string[] {
  const [first, ...words] = argv;
  if (first !== 'help') return argv;
  const name = words.filter((each) => !each.startsWith('-')).join(' ');
  const known = name === '' || commands.some((each) => each.name === name || each.name.startsWith(`${name} `));
  if (known) return [...name.split(' ').filter((each) => each !== ''), '--help'];
  throw new QuorateError('usage', `there is no verb ${name}`, { hint: 'quorate --help lists the verbs' });
}

function prepare(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  command.showSuggestionAfterError(true).enablePositionalOptions();
}

/** The group that a verb stands in, `certs client` of `certs client issue`, made with those above it where it is new. */
function parentOf(program: Command, made: Map<string, Command>, name: string): Command {
  const group = name.split(' ').slice(0, -1).join(' ');
  if (group === '') return program;
  const known = made.get(group);
  if (known !== undefined) return known;
  const word = group.split(' ').at(-1) ?? group;
  const command = parentOf(program, made, group)
    .command(word)
    .description(groups[group] ?? group);
  prepare(command);
  made.set(group, command);
  return command;
}

/** Whether a verb may be meant: the others need no more than their line in the list. */
function mentions(argv: readonly string[], name: string): boolean {
  return name.split(' ').every((word) => argv.includes(word));
}

function nameCommand(parent: Command, entry: CommandEntry): Command {
  const command = parent.command(lastWord(entry)).summary(entry.summary).description(entry.summary);
  for (const argument of entry.argument.split(' ').filter((each) => each !== '')) command.argument(argument);
  return command;
}

function lastWord({ name }: CommandEntry): string {
  return name.split(' ').at(-1) ?? name;
}

function addCommand(parent: Command, entry: CommandEntry, onFound: (request: Request) => void): void {
  const command = nameCommand(parent, entry);
  prepare(command);
  for (const option of [...entry.options, ...general]) command.addOption(new Option(option.flags, option.description));
  if (lastWord(entry) === 'ssh') command.passThroughOptions().allowUnknownOption();
  command.addHelpText('after', `\nExample:\n  ${entry.example}\n${exitCodesHelp}`);
  command.action(() => {
    const args = command.args;
    onFound({ verb: entry.name, invocation: { args, options: command.opts() }, load: entry.load });
  });
}

function outcomeOf(error: CommanderError): undefined {
  if (error.exitCode === 0) return undefined;
  const message = error.message.replace(/^error: /, '');
  const [first = message, ...more] = message.split('\n');
  const hint = more.join(' ').trim();
  throw new QuorateError('usage', error.code === 'commander.help' ? 'no verb was given' : first, {
    hint: hint === '' ? 'quorate --help lists the verbs and their options' : hint,
  });
}
