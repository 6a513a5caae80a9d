#!/usr/bin/env bash
# alert.sh UNIT: tells a person that a unit failed, and that it works again; the same news not twice within a day.
# To the journal always; to the topic ALERT_TOPIC_ARN where there is one.
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
    # 0 where the program was never started: its secrets, the engine or the image were missing.
    [ "$status" -eq 0 ] && how="before the program began" || how="exit code $status"
    text="$unit on $(uname --nodename) failed ($result, $how): journalctl --unit $unit"
fi
# The number is the journal's level: critical.
printf '<2>%s\n' "$text"

if [ "$result" != success ] && [ "$(cat -- "$last" 2>/dev/null)" = "$news" ] &&
    [ -n "$(find "$last" -mmin -1440)" ]; then
    exit 0
fi
[ -z "${ALERT_TOPIC_ARN:-}" ] ||
    aws sns publish --topic-arn "$ALERT_TOPIC_ARN" --subject "ticketattr: $result" --message "$text" --output text >/dev/null
# After the message: one that could not be sent is tried again.
if [ "$result" = success ]; then
    rm -f -- "$last"
else
    printf '%s\n' "$news" >"$last"
fi
