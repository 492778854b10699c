/** Whether the folders that quorate gives a member are folders, or can be made. A disk may be mounted on one. */
import type { HostCheck, Problem } from './problem.ts';

/** Links are refused: what is behind one can change under a running member, and `reset` takes nothing away through one. */
export function checkFolders({ cluster, host }: HostCheck): readonly Problem[] {
  const { configDir, dataDir, walDir } = cluster.paths;
  return [configDir, dataDir, ...(walDir === undefined ? [] : [walDir])].flatMap((path): readonly Problem[] => {
    const fact = host.files[path];
    if (fact === undefined || fact.kind === 'absent' || fact.kind === 'directory') return [];
    const refuse = { host: host.host, level: 'refuse' } as const;
    if (fact.kind === 'link') {
      const message = `${host.host}: ${path} is a symbolic link to ${fact.target}: members get folders of their own, since a link can be turned under a running one`;
      const hint = `name the folder itself in the inventory (paths: ${fact.target}), or mount its disk on ${path} and remove the link`;
      return [{ ...refuse, message, hint }];
    }
    const message = `${host.host}: ${path} is there and is no folder`;
    return [{ ...refuse, message, hint: `look at it, and move it away: ls -l ${path}` }];
  });
}
