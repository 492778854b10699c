/** The shell that restarts a member's unit. */
import { QUORATE_RUN_DIR } from '../domain/layout.ts';
import { quote } from '../domain/shell-quote.ts';
import type { Step } from '../domain/step.ts';
import { lastWordsScript } from './unit-log.ts';

/**
 * From SIGTERM (90 s at most: TimeoutStopSec) over replaying the WAL and opening the database to READY, which comes once the member has joined a quorum.
 */
const READY_TIMEOUT_S = 300;
/** Until a member that is started without waiting for READY has noted what it starts with. */
const NOTE_TIMEOUT_S = 120;

/** Restarts by SIGTERM and waits for READY; with `outage` only until the new process has noted its start. A failure ends with the unit's last words. */
export function restartScript({ unit, outage }: Step<'unit.restart'>): string {
  const name = quote(unit);
  return `systemctl daemon-reload
systemctl reset-failed ${name} 2>/dev/null || :
${outage ? withoutWaiting(unit) : untilReady(unit)}`;
}

function untilReady(unit: string): string {
  const name = quote(unit);
  return `if timeout ${READY_TIMEOUT_S} systemctl restart ${name}; then :; else
  status=$?
  [ "$status" -ne 124 ] || echo ${quote(`${unit} did not become ready within ${READY_TIMEOUT_S} s`)} >&2
  ${lastWordsScript(unit)} >&2
  exit 1
fi`;
}

function withoutWaiting(unit: string): string {
  const name = quote(unit);
  const record = quote(`${QUORATE_RUN_DIR}/${unit}.run`);
  return `before=$(systemctl show -p InvocationID --value ${name})
systemctl restart --no-block ${name}
tries=0
while :; do
  now=$(systemctl show -p InvocationID --value ${name})
  if [ -n "$now" ] && [ "$now" != "$before" ] && grep -qx "invocation_id=$now" ${record} 2>/dev/null; then break; fi
  tries=$((tries + 1))
  if [ $tries -ge ${NOTE_TIMEOUT_S * 2} ]; then
    echo ${quote(`${unit} was not started anew within ${NOTE_TIMEOUT_S} s`)} >&2
    ${lastWordsScript(unit)} >&2
    exit 1
  fi
  sleep 0.5
done`;
}
