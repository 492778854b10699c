/** Folds what several hosts do alike into one, without changing the order of what any host does. */

interface HostLines<Line> {
  readonly host: string;
  readonly lines: readonly Line[];
}

/** Lines that some hosts have in common, in the order in which each of these hosts has them. */
export interface Group<Line> {
  readonly hosts: readonly string[];
  readonly lines: readonly Line[];
}

type Same<Line> = (a: Line, b: Line) => boolean;

/**
 * For hosts that go at the same time: equal lines of different hosts become one, and neighbours with the same hosts one group. Reading the
 * groups from top to bottom gives each host its own lines, all of them, in its own order.
 */
export function foldInOrder<Line>(hosts: readonly HostLines<Line>[], same: Same<Line>): Group<Line>[] {
  const queues = hosts.map(({ host, lines }) => ({ host, lines, next: 0 }));
  const groups: { hosts: string[]; lines: Line[] }[] = [];
  for (let head = pickHead(queues, same); head !== undefined; head = pickHead(queues, same)) {
    const line = head;
    const takers = queues.filter((queue) => startsWith(queue, line, same));
    for (const queue of takers) queue.next += 1;
    const names = takers.map((queue) => queue.host);
    const last = groups.at(-1);
    if (last !== undefined && last.hosts.join('\n') === names.join('\n')) last.lines.push(line);
    else groups.push({ hosts: names, lines: [line] });
  }
  return groups;
}

/** For hosts that go one after another: only neighbours with all lines equal become one group, so that the turns stay visible. */
export function foldInTurn<Line>(hosts: readonly HostLines<Line>[], same: Same<Line>): Group<Line>[] {
  const groups: { hosts: string[]; lines: readonly Line[] }[] = [];
  for (const { host, lines } of hosts) {
    const last = groups.at(-1);
    if (last !== undefined && equal(last.lines, lines, same)) last.hosts.push(host);
    else groups.push({ hosts: [host], lines });
  }
  return groups;
}

interface Queue<Line> {
  readonly lines: readonly Line[];
  next: number;
}

/** The first head that no other host has still to come behind its own head; otherwise the first head. */
function pickHead<Line>(queues: readonly Queue<Line>[], same: Same<Line>): Line | undefined {
  const heads = queues.flatMap((queue) => queue.lines.slice(queue.next, queue.next + 1));
  const later = (line: Line) =>
    queues.some(
      (queue) => !startsWith(queue, line, same) && queue.lines.slice(queue.next).some((each) => same(each, line)),
    );
  return heads.find((line) => !later(line)) ?? heads[0];
}

function startsWith<Line>(queue: Queue<Line>, line: Line, same: Same<Line>): boolean {
  return queue.lines.slice(queue.next, queue.next + 1).some((head) => same(head, line));
}

function equal<Line>(a: readonly Line[], b: readonly Line[], same: Same<Line>): boolean {
  return (
    a.length === b.length && a.every((line, index) => b.slice(index, index + 1).some((other) => same(line, other)))
  );
}
