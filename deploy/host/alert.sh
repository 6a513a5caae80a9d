#!/usr/bin/env bash
# alert.sh UNIT: reports that a unit failed, or that it works again. It writes to the journal and, if ALERT_TOPIC_ARN is
# set, sends a message to that topic. The same message is sent once a day at most.
set -euo pipefail
unit=${1:?usage: alert.sh UNIT}
last=${STATE_DIRECTORY:-/var/lib/ticketattr-alert}/$unit

result=$(systemctl show --property=Result --value -- "$unit")
status=$(systemctl show --property=ExecMainStatus --value -- "$unit")
news="$result $status"
if [ "$result" = success ]; then
    [ -e "$last" ] || exit 0
    text="$unit on $(uname --nodename) works again"
else
    # The status is 0 if the program was not started because its secrets, the engine or the image were missing.
    [ "$status" -eq 0 ] && how="before the program started" || how="exit code $status"
    text="$unit on $(uname --nodename) failed ($result, $how): journalctl --unit $unit"
fi
# <2> is the level of the journal: critical.
printf '<2>%s\n' "$text"

if [ "$result" != success ] && [ "$(cat -- "$last" 2>/dev/null)" = "$news" ] &&
    [ -n "$(find "$last" -mmin -1440)" ]; then
    exit 0
fi
[ -z "${ALERT_TOPIC_ARN:-}" ] ||
    aws sns publish --topic-arn "$ALERT_TOPIC_ARN" --subject "ticketattr: $result" --message "$text" --output text >/dev/null
# Only after the message was sent, so that a failed one is tried again.
if [ "$result" = success ]; then
    rm -f -- "$last"
else
    printf '%s\n' "$news" >"$last"
fi
