/** The composition root: parses the command line, gives the verb its ports, tells errors, and returns the exit status. */
import { exitStatus, QuorateError } from './domain/errors.ts';
import { parseArguments, type Request } from './main/program.ts';

/** Runs quorate with these arguments; the exit status. The only place that catches everything. */
export async function main(argv: readonly string[]): Promise<number> {
  let request: Request | undefined;
  try {
    request = await parseArguments(argv);
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    await tellUsage(error, argv);
    return exitStatus(error);
  }
  if (request === undefined) return 0;
  // Beside the context, which takes as long to load; who waits for it tells why it failed.
  const loading = request.load();
  loading.catch(() => undefined);
  const { openContext } = await import('./main/context.ts');
  const context = await openContext(request);
  try {
    const verb = await loading;
    return await verb(request.invocation, context.ports);
  } catch (error) {
    const { explained } = await import('./domain/system-error.ts');
    const told = explained(error);
    context.ui.error(told);
    return exitStatus(told);
  } finally {
    await context.ui.close();
  }
}

/** Before there is a terminal: the options may not even have been understood. */
async function tellUsage(error: QuorateError, argv: readonly string[]): Promise<void> {
  if (argv.includes('--json')) {
    const { errorToJson } = await import('./ui/errors.ts');
    process.stdout.write(`${JSON.stringify(errorToJson(error, undefined), undefined, 2)}\n`);
    return;
  }
  process.stderr.write(`error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
}
