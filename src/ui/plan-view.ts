/** Prints a plan: numbered stages, hosts that do the same together, each change with its sign, its reason and its diff. */
import { counted } from '../domain/plural.ts';
import { OPERATOR } from '../domain/step.ts';
import { foldInOrder, foldInTurn, type Group } from './fold.ts';
import type { Paint, Style } from './paint.ts';
import { clean, indent, wrap } from './text.ts';

/** `+` something new, `~` something changed, `-` something removed, `!` a service disturbed or something irreversible. */
export type Sign = '+' | '~' | '-' | '!';

/** One step on one host, worded. Lines that are equal on several hosts are printed once. */
export interface StepLine {
  readonly sign: Sign;
  /** What it does, without the host's name. */
  readonly text: string;
  readonly why: string;
  /** A unified diff, made by `fileDiff`. */
  readonly diff?: string | undefined;
}

export interface HostView {
  readonly host: string;
  readonly lines: readonly StepLine[];
}

export interface StageView {
  readonly title: string;
  /** `parallel`: hosts at once, and the operator's machine beside them. `rolling`: one after another, in this order. `operator`: on the operator's machine. */
  readonly mode: 'parallel' | 'rolling' | 'operator';
  readonly hosts: readonly HostView[];
}

export interface PlanView {
  readonly verb: string;
  readonly cluster: string;
  readonly stages: readonly StageView[];
  readonly warnings: readonly string[];
  readonly reasons: readonly { readonly host: string; readonly reason: string }[];
}

export interface PlanLook {
  readonly width: number;
  readonly paint: Paint;
  /** Takes secrets out; applied before lines are broken, because a broken secret would not be recognised. */
  readonly redact: (text: string) => string;
}

/** The plan as text without a final line feed; the same view and look always give the same text. */
export function renderPlan(view: PlanView, look: PlanLook): string {
  const stages = view.stages.filter((stage) => stage.hosts.some((host) => host.lines.length > 0));
  const lines = [
    look.paint('head', tidy(`plan: ${view.verb} ${view.cluster}`, look)),
    '',
    ...stages.flatMap((stage, index) => [...renderStage(stage, index + 1, look), '']),
    ...renderReasons(view, look),
    ...renderWarnings(view, look),
    ...wrap(summary(stages, hostsOf(view.reasons)), look.width, '').map((line) => look.paint('head', line)),
  ];
  return lines.join('\n');
}

function hostsOf(reasons: PlanView['reasons']): number {
  return new Set(reasons.map((each) => each.host).filter((host) => host !== OPERATOR)).size;
}

/** `5 stages, 42 steps on 3 hosts: 30 to add, 10 to change, 2 disruptive`, or that nothing is to do. */
function summary(stages: readonly StageView[], reasons: number): string {
  const hosts = stages.flatMap((stage) => stage.hosts.filter((host) => host.lines.length > 0));
  const lines = hosts.flatMap((host) => host.lines);
  if (lines.length === 0) return reasons > 0 ? `nothing to do on ${counted(reasons, 'host')}` : 'nothing to do';
  const remote = new Set(hosts.map((host) => host.host).filter((host) => host !== OPERATOR));
  const where = remote.size === 0 ? '' : ` on ${counted(remote.size, 'host')}`;
  const tallies = signs
    .map((sign) => ({ sign, number: lines.filter((line) => line.sign === sign).length }))
    .filter((tally) => tally.number > 0)
    .map((tally) => `${tally.number} ${wording[tally.sign]}`);
  return `${counted(stages.length, 'stage')}, ${counted(lines.length, 'step')}${where}: ${tallies.join(', ')}`;
}

const signs = ['+', '~', '-', '!'] as const;
const wording = { '+': 'to add', '~': 'to change', '-': 'to remove', '!': 'disruptive' } as const satisfies Record<
  Sign,
  string
>;
const signStyle = { '+': 'add', '~': 'change', '-': 'remove', '!': 'disrupt' } as const satisfies Record<Sign, Style>;

function renderStage(stage: StageView, number: number, look: PlanLook): string[] {
  const hosts = stage.hosts.filter((host) => host.lines.length > 0);
  const groups = stage.mode === 'rolling' ? foldInTurn(hosts, sameLine) : foldInOrder(hosts, sameLine);
  const [first = '', ...rest] = wrap(tidy(stage.title, look), look.width, `${number}. `);
  return [
    ...[first, ...rest].map((line) => look.paint('head', line)),
    ...wrap(manner(stage, hosts), look.width, '   ').map((line) => look.paint('faint', line)),
    ...groups.flatMap((group) => renderGroup(group, stage.mode, look)),
  ];
}

function manner({ mode }: StageView, hosts: readonly HostView[]): string {
  if (mode === 'operator') return here;
  if (mode === 'rolling') return 'one member at a time, each proved healthy before the next';
  const remote = hosts.filter(({ host }) => host !== OPERATOR).length;
  const said = remote === 1 ? 'one host' : `${remote} hosts at once`;
  return remote === hosts.length ? said : `${said}, and this machine`;
}

const here = 'here, on this machine';

function renderGroup(group: Group<StepLine>, mode: StageView['mode'], look: PlanLook): string[] {
  const names = group.hosts
    .map((host) => (host === OPERATOR ? here : tidy(host, look)))
    .join(mode === 'rolling' ? ', then ' : ', ');
  const heading = mode === 'operator' ? [] : wrap(names, look.width, '   ').map((line) => look.paint('host', line));
  return [...heading, ...group.lines.flatMap((line) => renderLine(line, look))];
}

function renderLine(line: StepLine, look: PlanLook): string[] {
  const [first = '', ...rest] = wrap(tidy(line.text, look), look.width, '       ');
  const why = line.why === '' ? [] : wrap(tidy(line.why, look), look.width, '         ');
  return [
    `     ${look.paint(signStyle[line.sign], line.sign)} ${first.trimStart()}`,
    ...rest,
    ...why.map((each) => look.paint('faint', each)),
    ...(line.diff ? indent(tidy(line.diff, look), '         ').map((each) => paintDiff(each, look.paint)) : []),
  ];
}

function paintDiff(line: string, paint: Paint): string {
  const mark = line.trimStart();
  if (/^(---|\+\+\+) /.test(mark)) return paint('head', line);
  if (mark.startsWith('@@')) return paint('host', line);
  if (line.startsWith('         +')) return paint('add', line);
  return line.startsWith('         -') ? paint('remove', line) : line;
}

function renderReasons(view: PlanView, look: PlanLook): string[] {
  if (view.reasons.length === 0) return [];
  const lines = view.reasons.flatMap(({ host, reason }) =>
    wrap(tidy(`${host}: ${reason}`, look), look.width, '  ', '    '),
  );
  return [look.paint('head', 'nothing to do:'), ...lines, ''];
}

function renderWarnings(view: PlanView, look: PlanLook): string[] {
  const lines = view.warnings.flatMap((warning) => {
    const [first = '', ...rest] = wrap(tidy(warning, look), look.width, 'warning: ');
    return [look.paint('warn', 'warning:') + first.slice('warning:'.length), ...rest];
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

function tidy(text: string, look: PlanLook): string {
  return clean(look.redact(text));
}

function sameLine(a: StepLine, b: StepLine): boolean {
  return a.sign === b.sign && a.text === b.text && a.why === b.why && a.diff === b.diff;
}
