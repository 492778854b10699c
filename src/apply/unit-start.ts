/** The shell that starts a member's unit without waiting for it: members wait for each other. */
import { quote } from '../domain/shell-quote.ts';
import type { Step } from '../domain/step.ts';

/** The start stands in systemd's queue at first, for as long as what it comes after (the network) takes. */
const QUEUED_TRIES = 400;

/** Starts the unit whose file is `unitPath`, where systemd sees no drop-in beside it. */
export function startScript(unitPath: string, { unit }: Step<'unit.start'>): string {
  const name = quote(unit);
  const asWritten = ['LoadState=loaded', 'NeedDaemonReload=no', `FragmentPath=${unitPath}`, 'DropInPaths='];
  const neverRun = ['ActiveState=inactive', 'NRestarts=0', 'InvocationID='];
  const properties = [...asWritten, ...neverRun].map((each) => each.slice(0, each.indexOf('=')));
  return `shown="
$(systemctl show -p ${properties.join()} -- ${name} 2>/dev/null)
"
shows() {
  for line; do
    case $shown in *"
$line
"*) ;; *) return 1 ;; esac
  done
}
# A unit that systemd has not loaded is read when it is started, and what is shown of it is what it would start with: then nothing is
# reloaded, which costs systemd a look at every unit and a run of each of its generators.
shows ${asWritten.map(quote).join(' ')} || systemctl daemon-reload
shows ${neverRun.map(quote).join(' ')} || systemctl reset-failed ${name} 2>/dev/null || :
systemctl start --no-block ${name}
tries=0
while [ "$(systemctl show -p ActiveState --value -- ${name})" = inactive ] && [ $tries -lt ${QUEUED_TRIES} ]; do
  tries=$((tries + 1))
  sleep 0.05
done`;
}
