/** Opening and closing goals in the store's root. */
import { QuorateError } from '../domain/errors.ts';
import { type Goal, openGoal, sameGoal } from '../domain/goal.ts';
import { updateDocument } from './state.ts';
import type { PkiStore } from './store.ts';

/**
 * Notes a goal, in the place of `replaces` where that is open; the same one stays as it is, with its date. Throws `refused` where another one of its kind
 * is open: two runs would undo each other.
 */
export async function setGoal(
  store: PkiStore,
  uuid: string,
  {
    goal,
    replaces,
    now,
    who,
  }: { readonly goal: Goal; readonly replaces?: Goal | undefined; readonly now: number; readonly who: string },
): Promise<void> {
  await updateDocument(store, uuid, (document) => {
    const open = openGoal(document.goals, goal.kind);
    if (open !== undefined && sameGoal(open, goal)) return document;
    const replaced = open !== undefined && replaces !== undefined && sameGoal(open, replaces);
    if (open !== undefined && !replaced) {
      throw new QuorateError('refused', `${open.who} has opened another goal meanwhile (${open.kind}, ${open.since})`, {
        hint: 'plan again',
      });
    }
    const others = document.goals.filter((each) => each !== open);
    return { ...document, goals: [...others, { ...goal, since: new Date(now).toISOString(), who }] };
  });
}

/** Takes a goal away that is met; nothing where it is not (any more) open. */
export async function closeGoal(store: PkiStore, uuid: string, goal: Goal): Promise<void> {
  await updateDocument(store, uuid, (document) => {
    const goals = document.goals.filter((each) => !sameGoal(each, goal));
    return goals.length === document.goals.length ? document : { ...document, goals };
  });
}
