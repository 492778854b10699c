/** Singular and plural in messages. */

/** `1 host`, `3 hosts`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The verb that goes with so many: `is` or `are`. */
export function agreeing(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}
