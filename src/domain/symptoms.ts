/** What the doctor knows: a table of symptoms, each with its cause, its remedy and the log lines by which it shows. */
import type { Symptom } from './symptom.ts';
import { certificateSymptoms } from './symptoms-certificates.ts';
import { hostSymptoms } from './symptoms-hosts.ts';
import { memberSymptoms } from './symptoms-members.ts';

/** The table, by ID. */
export const symptoms = { ...memberSymptoms, ...hostSymptoms, ...certificateSymptoms } as const;

export type SymptomId = keyof typeof symptoms;

/** The table's rows in their order. */
export const symptomRows: readonly (Symptom & { readonly id: SymptomId })[] = symptomIds().map((id) => ({
  id,
  ...symptoms[id],
}));

/** The row of an ID. */
export function symptomOf(id: SymptomId): Symptom {
  return symptoms[id];
}

/** Words of lines that count although etcd takes them for mere information. */
export const tellingWords: readonly string[] = ['elected leader', 'flocked by another process'];

function symptomIds(): readonly SymptomId[] {
  return Object.keys(symptoms).filter((each): each is SymptomId => each in symptoms);
}
