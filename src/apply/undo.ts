/** The steps that take a member back to what it was before its turn. Pure. */
import type { FileFact, HostFacts } from '../domain/facts.ts';
import type { Step } from '../domain/step.ts';
import type { HostStep } from './run.ts';

interface Then {
  readonly before: HostFacts;
  readonly now: HostFacts;
}

/**
 * Links and files that the turn has changed get their previous targets and contents, in reverse order, and files that were not there are removed: a unit of the
 * member's own, from before quorate, would stay hidden behind quorate's. A member that was restarted, or does not run, is restarted once more, to run with what
 * it ran with before. Other things that did not exist before stay.
 */
export function undoSteps(steps: readonly HostStep[], then: Then): readonly HostStep[] {
  const undone = steps.toReversed().flatMap((step) => undoOf(step, then));
  const restart = steps.find((step) => step.kind === 'unit.restart');
  if (restart === undefined || undone.length === 0 || !restartDue(then)) return undone;
  return [...undone, restartBack(restart, then)];
}

function undoOf(step: HostStep, { before, now }: Then): readonly HostStep[] {
  const back = { id: `${step.id}:back`, why: 'its turn failed' };
  switch (step.kind) {
    case 'pki.switch': {
      const target = targetOf(before.files[step.link]);
      return target === undefined || target === targetOf(now.files[step.link]) ? [] : [{ ...step, ...back, target }];
    }
    case 'binary.link': {
      // A minor may bring a program that the one before did not have.
      const names = step.names.filter((name) => targetOf(before.files[`${step.binDir}/${name}`]) !== undefined);
      const [directory, linked] = [folderOf(before, { ...step, names }), folderOf(now, { ...step, names })];
      return directory === undefined || directory === linked ? [] : [{ ...step, ...back, directory, names }];
    }
    case 'file.put': {
      const [file, content] = [before.files[step.path], before.texts[step.path]];
      if ((file === undefined || file.kind === 'absent') && now.files[step.path]?.kind === 'file') {
        const { id, why, host, path } = { ...step, ...back };
        return [{ kind: 'file.remove', id, why, host, path }];
      }
      if (file?.kind !== 'file' || content === undefined || content === now.texts[step.path]) return [];
      const { mode, owner, group } = file;
      return [{ ...step, ...back, content, mode, owner, group }];
    }
    default:
      return [];
  }
}

function restartDue({ before, now }: Then): boolean {
  return now.unit.invocationId !== before.unit.invocationId || now.unit.activeState !== 'active';
}

function restartBack(step: Step<'unit.restart'>, { before, now }: Then): Step<'unit.restart'> {
  const { kind, host, unit, outage } = step;
  const { invocationId: _, ...known } = before.run ?? { invocationId: '' };
  const wish = Object.fromEntries(Object.entries(known).filter(([, sha256]) => sha256 !== ''));
  const ends = now.unit.invocationId;
  return { kind, host, unit, outage, wish, ends, id: `${step.id}:back`, why: 'its turn failed' };
}

function targetOf(fact: FileFact | undefined): string | undefined {
  return fact?.kind === 'link' ? fact.target : undefined;
}

/** The folder that all links point into. */
function folderOf({ files }: HostFacts, { binDir, names }: Step<'binary.link'>): string | undefined {
  const targets = names.map((name) => targetOf(files[`${binDir}/${name}`]));
  const folders = new Set(targets.map((each) => each?.slice(0, each.lastIndexOf('/'))));
  return folders.size === 1 ? [...folders][0] : undefined;
}
