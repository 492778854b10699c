/** quorate adopt: an inventory for a cluster that somebody else made, its authority in the state directory, and its hosts marked as this cluster's. */
import { dirname, resolve } from 'node:path';
import { type Description, describeCluster } from '../adopt/describe.ts';
import { carriedControllers, carriedSections, completeDraft, draftFor } from '../adopt/draft.ts';
import type { FoundHost } from '../adopt/found.ts';
import { inventoryText } from '../adopt/inventory-text.ts';
import type { Cluster } from '../domain/cluster.ts';
import { combineErrors, QuorateError } from '../domain/errors.ts';
import { planAdopt } from '../plan/adopt.ts';
import { importAuthorities } from './adopt-authorities.ts';
import { differencesOf, showFound, toJson } from './adopt-report.ts';
import { applyPlan } from './apply-plan.ts';
import { flag, type Invocation, type Ports, type Verb, value } from './command.ts';
import { planAny } from './plan.ts';

export const adopt: Verb = async (invocation, ports) => {
  const draft = await readDraft(invocation, ports);
  const { hosts, description, text } = await lookAt(draft, invocation, ports);
  showFound(hosts, description, ports);
  requireAdoptable(description);
  const path = await writeInventory(draft, text, invocation, ports);
  if (!flag(invocation, 'inventoryOnly')) requireOurs(description);
  if (flag(invocation, 'inventoryOnly')) {
    if (ports.ui.mode === 'json') ports.ui.json({ ...toJson(hosts, description), inventory: path });
    ports.ui.note(`nothing was changed on the hosts; next: quorate adopt -i ${path}`);
    return 0;
  }
  return takeIn({ path, hosts, description }, invocation, ports);
};

interface Draft {
  readonly text: string;
  /** Absolute path of the inventory that was named; undefined where hosts were. */
  readonly path: string | undefined;
  readonly directory: string;
}

interface Found {
  readonly hosts: readonly FoundHost[];
  readonly description: Description;
  /** The inventory that describes it. */
  readonly text: string;
}

async function readDraft(invocation: Invocation, ports: Ports): Promise<Draft> {
  const { directory, env } = ports.operator;
  if (invocation.args.length > 0) {
    if (value(invocation, 'inventory') === undefined)
      return { text: draftFor(invocation.args), path: undefined, directory };
    throw new QuorateError('usage', 'adopt: hosts and an inventory were named', { hint: 'name the one or the other' });
  }
  const path = resolve(directory, value(invocation, 'inventory') ?? env['QUORATE_INVENTORY'] ?? 'quorate.yml');
  return { text: await ports.files.read(path), path, directory: dirname(path) };
}

async function lookAt(draft: Draft, invocation: Invocation, ports: Ports): Promise<Found> {
  const { directory, path } = draft;
  const text = completeDraft(draft.text);
  const reached = await ports.adoption.clusterOf({ text, fileName: path ?? '(the hosts)', directory });
  const answers = await ports.adoption.survey(reached, { unit: value(invocation, 'unit') });
  const failures = answers.filter((each) => each instanceof QuorateError);
  const [failure] = failures;
  if (failure !== undefined) {
    if (failures.length === 1) throw failure;
    throw combineErrors(`${failures.length} of ${answers.length} hosts cannot be adopted`, failures);
  }
  const hosts = answers.flatMap((each) => (each instanceof QuorateError ? [] : [each]));
  const name = value(invocation, 'name') ?? reached.name;
  const description = describeCluster(hosts, name, carriedControllers(draft.text));
  return { hosts, description, text: inventoryText(description, carriedSections(draft.text)) };
}

/** @throws QuorateError refused where no inventory describes it */
function requireAdoptable({ notes }: Description): void {
  const blocks = notes.filter(({ level }) => level === 'blocks');
  if (blocks.length === 0) return;
  const errors = blocks.map(({ host, text, hint }) => {
    const message = host === '' ? text : `${host}: ${text}`;
    return new QuorateError('refused', message, hint === undefined ? {} : { hint });
  });
  const [first] = errors;
  throw errors.length === 1 && first !== undefined
    ? first
    : combineErrors(`${errors.length} things stand in the way of adopting it; nothing was written`, errors);
}

/** @throws QuorateError refused where another tool has the members' processes */
function requireOurs({ notes }: Description): void {
  const kept = notes.find(({ level }) => level === 'kept');
  if (kept === undefined) return;
  throw new QuorateError('refused', `${kept.text}; the inventory is written, and nothing was changed`, {
    ...(kept.hint === undefined ? {} : { hint: kept.hint }),
  });
}

/** The path of an inventory that describes what runs: the one that was named where it does, else a new file. @throws QuorateError usage */
async function writeInventory(draft: Draft, text: string, invocation: Invocation, ports: Ports): Promise<string> {
  const out = value(invocation, 'out');
  const { directory } = ports.operator;
  const described = await ports.adoption.clusterOf({ text, fileName: '(as it was found)', directory: draft.directory });
  if (draft.path !== undefined && out === undefined) {
    const differences = await differencesFrom(draft, described, ports);
    if (differences.length === 0) return draft.path;
    throw new QuorateError('usage', `${draft.path}: does not describe what runs: ${differences.join('; ')}`, {
      hint: 'have an inventory written that does: quorate adopt -i FILE --out quorate-adopted.yml',
    });
  }
  const path = resolve(directory, out ?? 'quorate.yml');
  await ports.files.write(path, text, { mode: 0o644, replace: false });
  ports.ui.note(`wrote ${path}`);
  return path;
}

async function differencesFrom(draft: Draft, described: Cluster, ports: Ports): Promise<readonly string[]> {
  try {
    return differencesOf(await ports.clusterAt(draft.path), described);
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'inventory') return [error.message];
    throw error;
  }
}

async function takeIn(
  { path, hosts, description }: { path: string; hosts: readonly FoundHost[]; description: Description },
  invocation: Invocation,
  ports: Ports,
): Promise<number> {
  const named = { ...invocation, options: { ...invocation.options, inventory: path } };
  const cluster = await ports.withOptions(named.options).cluster();
  const there = await importAuthorities({ cluster, hosts, tls: description.tls }, named, ports);
  const session = await there.session(cluster, { endpoints: true, requireAll: true });
  try {
    const planner = (view: typeof session.view) => planAdopt(view, description);
    const status = await applyPlan(
      session,
      { planner, question: `Adopt ${cluster.name}?`, preflight: false, left: planner },
      invocation,
      { ...there, ui: { ...there.ui, json: () => undefined } },
    );
    const next = planAny(await session.refresh());
    if (ports.ui.mode === 'json')
      ports.ui.json({ ...toJson(hosts, description), inventory: path, next: session.toJson(next) });
    else {
      ports.ui.out('');
      ports.ui.out('What applying the inventory would change:');
      await session.show(next, 'stdout');
    }
    return status;
  } finally {
    await session.close();
  }
}
