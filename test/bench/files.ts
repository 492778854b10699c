/** Where the benchmark finds what belongs to the checkout. */
import { fileURLToPath } from 'node:url';

/** The checkout's root: both `test/bench/` and the bundle's `dist/bench/` are two folders below it. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The program under test, as built. */
export const program = `${root}bin/quorate.js`;

/** Scripts, playbook and deploy of the tools that quorate is compared with. */
export const contest = `${root}test/bench`;
