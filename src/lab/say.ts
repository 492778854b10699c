/** How the lab tells what it is doing: one line at a time, to whoever asked. */

/** Takes one line without a newline. */
export type Say = (line: string) => void;

/** Says nothing. */
export const silent: Say = () => undefined;
