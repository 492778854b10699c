/** A plan as the terminal shows it: steps in words, and a diff of each file that would change, without the token. */
import type { Plan, Stage } from '../domain/plan.ts';
import { type Step, TOKEN_PLACEHOLDER } from '../domain/step.ts';
import { describe } from '../plan/describe.ts';
import type { View } from '../plan/view.ts';
import { fileDiff } from '../ui/file-diff.ts';
import type { PlanView, StepLine } from '../ui/plan-view.ts';

/** Words for every step, and the diffs of files; of new ones only where `newFiles` asks for them. */
export async function planView(plan: Plan, view: View, newFiles = false): Promise<PlanView> {
  const stages = await Promise.all(plan.stages.map((stage) => stageView(stage, view, newFiles)));
  const { verb, cluster, warnings, reasons } = plan;
  return { verb, cluster, warnings, reasons, stages };
}

async function stageView(stage: Stage, view: View, newFiles: boolean): Promise<PlanView['stages'][number]> {
  const hosts = [...new Set(stage.steps.map((each) => each.host))];
  return {
    title: stage.title,
    mode: stage.mode,
    hosts: await Promise.all(
      hosts.map(async (host) => ({
        host,
        lines: await Promise.all(
          stage.steps.filter((each) => each.host === host).map((step) => stepLine(step, view, newFiles)),
        ),
      })),
    ),
  };
}

async function stepLine(step: Step, view: View, newFiles: boolean): Promise<StepLine> {
  const { sign, text } = describe(step);
  const diff = await diffOf(step, view, newFiles);
  const made = diff === '' ? {} : { diff };
  const isNew = step.kind === 'file.put' && step.why === 'there is none yet';
  return { sign: isNew ? '+' : sign, text, why: step.why, ...made };
}

async function diffOf(step: Step, view: View, newFiles: boolean): Promise<string> {
  if (step.kind !== 'file.put') return '';
  const before = view.facts.hosts[step.host]?.texts[step.path];
  if (before === undefined && !newFiles) return '';
  const token = view.pki.identity?.token;
  const shown = token === undefined ? before : before?.replaceAll(token, TOKEN_PLACEHOLDER);
  return fileDiff({ host: step.host, path: step.path, before: shown, after: step.content, redacted: false });
}
