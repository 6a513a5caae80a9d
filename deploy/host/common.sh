# Functions for deploy.sh and rollback.sh. Those two source this file.
# shellcheck shell=bash

# The service is a user without rights and must be able to read its release.
umask 022
TICKETATTR_HOME=${TICKETATTR_HOME:-/opt/ticketattr}
UNIT_FOLDER=${UNIT_FOLDER:-/etc/systemd/system}
SERVICE=ticketattr.service
TIMER=ticketattr.timer
ALERT=ticketattr-alert@$SERVICE.service
# While this file exists, the alert unit does nothing: the script that started the smoke test reports its result.
SMOKE=/run/systemd/system/$SERVICE.d/50-smoke.conf
RUN_WAIT_SECONDS=${RUN_WAIT_SECONDS:-3600}

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

say() {
    printf '%s: %s\n' "${0##*/}" "$1"
}

# Prints the version that a link points to, or nothing.
release_at() {
    local target
    target=$(readlink -- "$TICKETATTR_HOME/$1") || return 0
    printf '%s\n' "${target##*/}"
}

# Allows one deployment or rollback at a time; the lock ends with the process.
take_lock() {
    mkdir -p -- "$TICKETATTR_HOME/releases"
    exec {lock}>"$TICKETATTR_HOME/deploy.lock"
    flock --nonblock "$lock" || die "another deployment or rollback is in progress; nothing was changed"
}

# Stops the timer and waits until a run in progress ends by itself: it may be sending a mail.
wait_for_run() {
    local state deadline=$((SECONDS + RUN_WAIT_SECONDS)) is_reported=
    systemctl --quiet is-active "$TIMER" && timer_was_active=yes
    systemctl stop "$TIMER" 2>/dev/null || :
    while state=$(systemctl show --property=ActiveState --value "$SERVICE"); do
        case $state in inactive | failed) return 0 ;; esac
        [ -n "$is_reported" ] || say "a run is in progress; waiting for its end"
        is_reported=yes
        [ "$SECONDS" -lt "$deadline" ] || die "the run did not end within $RUN_WAIT_SECONDS s; nothing was changed"
        sleep 1
    done
    die "systemd does not answer; nothing was changed"
}

# Restores what the script has changed temporarily, however it ends.
tidy() {
    if [ -e "$SMOKE" ]; then
        rm -f -- "$SMOKE"
        systemctl daemon-reload
    fi
    [ -z "${timer_was_active:-}" ] || systemctl start "$TIMER"
    [ -z "${scratch:-}" ] || rm -rf -- "$scratch"
    [ -z "${staged:-}" ] || rm -rf -- "$staged"
}

# point LINK VERSION: changes the link in one step, so that there always is a release.
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

# Makes the real unit run the demo and a check of its settings. Fails unless systemd confirms that the unit has exactly
# these commands, because a real run would send mail.
prepare_smoke() {
    local script=$TICKETATTR_HOME/current/host/container.sh
    mkdir -p -- "${SMOKE%/*}" &&
        printf '%s\n' '[Service]' ExecStart= "ExecStart=$script smoke" "ExecStart=$script ready" \
            TimeoutStartSec=10min >"$SMOKE" &&
        systemctl daemon-reload || return 1
    [ "$(systemctl show --property=ExecStart "$SERVICE" | grep --only-matching 'argv\[\]=[^;]*')" = \
        "argv[]=$script smoke "$'\n'"argv[]=$script ready " ] || {
        echo "${0##*/}: a drop-in of $SERVICE sets its command, so the unit cannot be tested: systemctl cat $SERVICE" >&2
        return 1
    }
}

# Runs the smoke test through the real unit, with its user, secrets, sandbox and state folder.
unit_works() {
    local result=0
    prepare_smoke || return 1
    systemctl reset-failed "$SERVICE" 2>/dev/null || :
    systemctl start "$SERVICE" || result=1
    # The condition of the alert unit is checked when its job runs. This waits for that job.
    systemctl start "$ALERT" 2>/dev/null || :
    if [ "$result" -ne 0 ]; then
        journalctl --unit "$SERVICE" --lines 40 --no-pager --output cat >&2 || :
        systemctl reset-failed "$SERVICE" || :
    fi
    rm -f -- "$SMOKE"
    systemctl daemon-reload
    return "$result"
}
