# What deploying and rolling back share; read by those two, never run.
# shellcheck shell=bash

# The service reads its release as a user without rights.
umask 022
TICKETATTR_HOME=${TICKETATTR_HOME:-/opt/ticketattr}
UNIT_FOLDER=${UNIT_FOLDER:-/etc/systemd/system}
SERVICE=ticketattr.service
TIMER=ticketattr.timer
ALERT=ticketattr-alert@$SERVICE.service
# The alert unit has a condition on this file: what a smoke test finds is told by whoever started it.
SMOKE=/run/systemd/system/$SERVICE.d/50-smoke.conf
RUN_WAIT_SECONDS=${RUN_WAIT_SECONDS:-3600}

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

say() {
    printf '%s: %s\n' "${0##*/}" "$1"
}

# The version that a link points to, or nothing.
release_at() {
    local target
    target=$(readlink -- "$TICKETATTR_HOME/$1") || return 0
    printf '%s\n' "${target##*/}"
}

# One deployment or rollback at a time; the lock goes with the process.
take_lock() {
    mkdir -p -- "$TICKETATTR_HOME/releases"
    exec {lock}>"$TICKETATTR_HOME/deploy.lock"
    flock --nonblock "$lock" || die "another deployment or rollback is at work; nothing was changed"
}

# From here on the timer starts nothing, and a run that is at work ends by itself: it may be in the middle of a mail.
wait_for_run() {
    local state deadline=$((SECONDS + RUN_WAIT_SECONDS)) told=
    systemctl --quiet is-active "$TIMER" && timer_was_active=yes
    systemctl stop "$TIMER" 2>/dev/null || :
    while state=$(systemctl show --property=ActiveState --value "$SERVICE"); do
        case $state in inactive | failed) return 0 ;; esac
        [ -n "$told" ] || say "a run is at work; waiting for its end"
        told=yes
        [ "$SECONDS" -lt "$deadline" ] || die "the run did not end within $RUN_WAIT_SECONDS s; nothing was changed"
        sleep 1
    done
    die "systemd does not answer; nothing was changed"
}

# What is left as it was however the script ends.
tidy() {
    if [ -e "$SMOKE" ]; then
        rm -f -- "$SMOKE"
        systemctl daemon-reload
    fi
    [ -z "${timer_was_active:-}" ] || systemctl start "$TIMER"
    [ -z "${scratch:-}" ] || rm -rf -- "$scratch"
    [ -z "${staged:-}" ] || rm -rf -- "$staged"
}

# point LINK VERSION: in one step, so that there is no moment without a release.
point() {
    ln --symbolic --force --no-dereference -- "releases/$2" "$TICKETATTR_HOME/.$1.new"
    mv --no-target-directory -- "$TICKETATTR_HOME/.$1.new" "$TICKETATTR_HOME/$1"
}

# switch_to VERSION: the units are links through `current`, so they switch with it.
switch_to() {
    local unit
    point current "$1"
    for unit in "$TICKETATTR_HOME/current/systemd/"*; do
        ln --symbolic --force --no-dereference -- \
            "$TICKETATTR_HOME/current/systemd/${unit##*/}" "$UNIT_FOLDER/${unit##*/}"
    done
    systemctl daemon-reload
}

# The real unit, with the demo and a look at its settings for its commands; fails unless systemd says that it is those
# and no other, for a run would mail.
prepare_smoke() {
    local script=$TICKETATTR_HOME/current/host/container.sh
    mkdir -p -- "${SMOKE%/*}" &&
        printf '%s\n' '[Service]' ExecStart= "ExecStart=$script smoke" "ExecStart=$script ready" \
            TimeoutStartSec=10min >"$SMOKE" &&
        systemctl daemon-reload || return 1
    [ "$(systemctl show --property=ExecStart "$SERVICE" | grep --only-matching 'argv\[\]=[^;]*')" = \
        "argv[]=$script smoke "$'\n'"argv[]=$script ready " ] || {
        echo "${0##*/}: a drop-in of $SERVICE sets its command, so it cannot be tried: systemctl cat $SERVICE" >&2
        return 1
    }
}

# The smoke test through the real unit: its user, its secrets, its sandbox, its state folder.
unit_works() {
    local result=0
    prepare_smoke || return 1
    systemctl reset-failed "$SERVICE" 2>/dev/null || :
    systemctl start "$SERVICE" || result=1
    # The alert's condition is judged when its job runs; this waits for that job.
    systemctl start "$ALERT" 2>/dev/null || :
    if [ "$result" -ne 0 ]; then
        journalctl --unit "$SERVICE" --lines 40 --no-pager --output cat >&2 || :
        systemctl reset-failed "$SERVICE" || :
    fi
    rm -f -- "$SMOKE"
    systemctl daemon-reload
    return "$result"
}
