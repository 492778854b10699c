/** What the doctor found: a symptom and where it shows. */
import { type SymptomId, symptoms } from './symptoms.ts';

/** Where a symptom shows: a line of a journal, or a state that was seen. */
export interface Evidence {
  /** The controller's name; '' for the cluster as a whole. */
  readonly host: string;
  /** Epoch milliseconds of the line's own time; undefined for a state. */
  readonly at: number | undefined;
  readonly text: string;
}

export interface Finding {
  readonly id: SymptomId;
  /** `past`: only lines show it, and they have not been repeated lately. */
  readonly level: 'critical' | 'warning' | 'past';
  readonly cause: string;
  readonly remedy: string;
  /** How often it was seen; the evidence shows the first of each host's states and the last of its lines. */
  readonly count: number;
  readonly evidence: readonly Evidence[];
}

/** A state that shows a symptom. */
export interface Sign {
  readonly id: SymptomId;
  /** '' for the cluster. */
  readonly host: string;
  readonly text: string;
}

/** What lines show of one symptom on one host. */
export interface LineSign extends Sign {
  readonly at: number;
  readonly count: number;
  readonly fresh: boolean;
}

/** One finding for each symptom, the gravest first. */
export function findingsOf(signs: readonly Sign[], lineSigns: readonly LineSign[]): readonly Finding[] {
  const ids = [...new Set([...signs, ...lineSigns].map((each) => each.id))];
  const findings = ids.map((id): Finding => {
    const states = signs.filter((each) => each.id === id);
    const lines = lineSigns.filter((each) => each.id === id);
    const present = states.length > 0 || lines.some((each) => each.fresh);
    const { cause, remedy, level } = symptoms[id];
    return {
      ...{ id, cause, remedy, level: present ? level : 'past' },
      count: states.length + lines.reduce((sum, each) => sum + each.count, 0),
      evidence: [
        ...states.map(({ host, text }) => ({ host, at: undefined, text })),
        ...lines.map(({ host, at, text }) => ({ host, at, text })),
      ],
    };
  });
  return findings.toSorted((left, right) => ranks[left.level] - ranks[right.level]);
}

const ranks = { critical: 0, warning: 1, past: 2 } as const;

/** 0 nothing present, 2 warnings, 3 critical. */
export function findingsStatus(findings: readonly Pick<Finding, 'level'>[]): number {
  if (findings.some((each) => each.level === 'critical')) return 3;
  return findings.some((each) => each.level === 'warning') ? 2 : 0;
}
