/** quorate validate: checks inventories offline. */
import { QuorateError } from '../domain/errors.ts';
import { type Verb, values } from './command.ts';

export const validate: Verb = async (invocation, ports) => {
  const given = [...invocation.args, ...values(invocation, 'inventory')];
  const paths = given.length > 0 ? given : [undefined];
  const errors: QuorateError[] = [];
  const seen: { file: string; cluster: string; members: number; warnings: readonly string[] }[] = [];
  for (const path of paths) {
    try {
      const cluster = await ports.clusterAt(path);
      seen.push({
        file: path ?? 'the inventory',
        cluster: cluster.name,
        members: cluster.controllers.length,
        warnings: cluster.warnings,
      });
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      errors.push(...(error.errors.length > 0 ? error.errors : [error]));
    }
  }
  if (errors.length > 0) {
    if (errors.length === 1 && errors[0] !== undefined) throw errors[0];
    throw new QuorateError('inventory', `${errors.length} complaints`, { errors });
  }
  if (ports.ui.mode === 'json') ports.ui.json({ valid: true, inventories: seen });
  for (const each of seen) {
    for (const warning of each.warnings) ports.ui.warn(warning);
    ports.ui.out(`${each.file}: valid: cluster ${each.cluster}, ${each.members} members`);
  }
  return 0;
};
