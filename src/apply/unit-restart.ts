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

/** A member that neither has a connection with any other for so long is cut off, and READY will not come; one that catches up has them. */
export interface Loneliness {
  readonly limitS: number;
  readonly lookS: number;
}

const LONELINESS: Loneliness = { limitS: 60, lookS: 5 };

/**
 * Restarts by SIGTERM and waits for READY; with `outage` only until the new process has noted its start. `peerPorts`: where the members of the cluster
 * listen for each other, none for a single one. A failure tells the unit's last words, and at its end, which no error leaves out, what was waited for
 * in vain.
 */
export function restartScript(
  { unit, outage }: Step<'unit.restart'>,
  peerPorts: readonly number[],
  loneliness = LONELINESS,
): string {
  const name = quote(unit);
  return `systemctl daemon-reload
systemctl reset-failed ${name} 2>/dev/null || :
${outage ? withoutWaiting(unit) : untilReady(unit, peerPorts, loneliness)}`;
}

function untilReady(unit: string, peerPorts: readonly number[], { limitS, lookS }: Loneliness): string {
  const name = quote(unit);
  return `timeout ${READY_TIMEOUT_S} systemctl restart ${name} &
restart=$!
(
  alone=0
  while sleep ${lookS}; do
    if ${connected(peerPorts)}; then alone=0; else alone=$((alone + ${lookS})); fi
    [ $alone -lt ${limitS} ] || break
  done
  : >"$stage/cut-off"
  kill $restart
) </dev/null >/dev/null 2>&1 &
watch=$!
if wait $restart; then kill $watch 2>/dev/null || :; else
  status=$?
  kill $watch 2>/dev/null || :
  ${lastWordsScript(unit)} >&2
  [ "$status" -ne 124 ] || echo ${quote(`${unit} did not become ready within ${READY_TIMEOUT_S} s`)} >&2
  [ ! -e "$stage/cut-off" ] || echo ${quote(`${unit} has had no connection with another member for ${limitS} s: its peer port is cut off, or they do not run`)} >&2
  exit 1
fi`;
}

/** Shell that tells whether there is a connection (state 01 in proc(5)) with one of these ports at either end. */
function connected(peerPorts: readonly number[]): string {
  if (peerPorts.length === 0) return ':';
  const ports = [...new Set(peerPorts)].map((port) => port.toString(16).toUpperCase().padStart(4, '0')).join('|');
  const pattern = `:(${ports}) [0-9A-F]+:[0-9A-F]{4} 01 |:(${ports}) 01 `;
  return `grep -qsE ${quote(pattern)} /proc/net/tcp /proc/net/tcp6`;
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
