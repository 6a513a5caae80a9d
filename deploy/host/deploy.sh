#!/usr/bin/env bash
# deploy.sh VERSION IMAGE@sha256:DIGEST: makes the release that contains this script the current one; must run as root.
# If the release does not work, the previous one becomes the current one again.
set -euo pipefail
bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=deploy/host/common.sh
. "$bundle/host/common.sh"

KEPT=5
STATE=/var/lib/ticketattr
SERVICE_ID=10001

[ $# -eq 2 ] || die "usage: deploy.sh VERSION IMAGE@sha256:DIGEST"
version=$1 image=$2
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "$(printf %q "$version") is not a version like 1.2.3-dev"
[[ $image =~ ^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$ ]] ||
    die "$(printf %q "$image") is not a pinned image (REGISTRY/NAME@sha256:DIGEST)"
[ "$(id -u)" -eq 0 ] || die "deploy.sh must run as root"
release=$TICKETATTR_HOME/releases/$version

# The user of the service has the same number as that of the image, so both own the same files.
make_user() {
    getent passwd "$SERVICE_ID" >/dev/null ||
        useradd --system --uid "$SERVICE_ID" --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin ticketattr
    install --directory --owner="$SERVICE_ID" --group="$SERVICE_ID" --mode=0750 "$STATE"
}

# Pulls the image by digest; the credentials are deleted afterwards.
pull() {
    local registry=${image%%/*}
    if [[ $registry == *.dkr.ecr.*.amazonaws.com ]]; then
        aws ecr get-login-password |
            DOCKER_CONFIG=$scratch/docker docker login --username AWS --password-stdin "$registry" >/dev/null 2>&1 ||
            die "the registry $registry refused the role of the instance; nothing was changed"
    fi
    DOCKER_CONFIG=$scratch/docker docker pull --quiet "$image" >/dev/null ||
        die "the image could not be pulled; nothing was changed"
}

# A version never changes: the same release may be deployed again, but no other release under the same version.
stage() {
    if [ -e "$release" ]; then
        grep --quiet --line-regexp --fixed-strings "IMAGE=$image" "$release/release.env" ||
            die "$version exists already with another image; create a new version"
    fi
    rm -rf -- "$staged"
    install --directory --mode=0755 "$staged/host" "$staged/systemd"
    install --mode=0755 -- "$bundle"/host/*.sh "$staged/host"
    install --mode=0644 -- "$bundle"/systemd/* "$staged/systemd"
    printf 'VERSION=%s\nIMAGE=%s\n' "$version" "$image" >"$staged/release.env"
    chmod 0644 "$staged/release.env"
}

# systemd-analyze exits 0 even for unknown keys, so any output about our units is a failure. It also tells what is wrong
# with units of others. The units refer to `current`, which is still the other release. So this verifies copies that
# refer to the new one.
verify_units() {
    local units=$scratch/units unit output
    install --directory "$units"
    for unit in "$1/systemd/"*; do
        sed "s|/opt/ticketattr/current/|$1/|g" "$unit" >"$units/${unit##*/}"
    done
    command -v systemd-analyze >/dev/null || die "systemd-analyze is not installed; nothing was changed"
    output=$(SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no "$units/$SERVICE" "$units/$TIMER" "$units/$ALERT" 2>&1 |
        grep --fixed-strings ticketattr) || :
    [ -z "$output" ] || die "the units of $version are not valid: $output"
}

# Runs the demo in the new container, as the user of the service, before anything is switched.
container_works() {
    setpriv --reuid="$SERVICE_ID" --regid="$SERVICE_ID" --groups="$(getent group docker | cut -d: -f3)" \
        env --ignore-environment PATH="$PATH" STATE_DIRECTORY="$STATE" bash "$1/host/container.sh" smoke
}

# Goes back to the previous release. A release that never worked is deleted, so that nobody rolls back to it.
take_back() {
    [ "$before" != "$version" ] || die "$version does not work any more; rollback.sh goes back to the previous release"
    if [ -z "$before" ]; then
        rm -f -- "$TICKETATTR_HOME/current"
        rm -rf -- "$release"
        die "$version does not work, and there is no previous release"
    fi
    switch_to "$before"
    [ -z "${is_new:-}" ] || rm -rf -- "$release"
    unit_works || die "$version does not work, and neither does $before, which is current again"
    die "$version does not work; $before is current again and works"
}

# Deletes old releases. The newest ones and the targets of `current` and `previous` are kept.
prune() {
    local name old
    while read -r name; do
        case $name in "$(release_at current)" | "$(release_at previous)") continue ;; esac
        old=$(sed -n 's/^IMAGE=//p' "$TICKETATTR_HOME/releases/$name/release.env")
        rm -rf -- "$TICKETATTR_HOME/releases/$name"
        docker image rm "$old" >/dev/null 2>&1 || :
    done < <(find "$TICKETATTR_HOME/releases" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -printf '%T@ %f\n' |
        sort --numeric-sort --reverse | cut -d' ' -f2 | tail -n "+$((KEPT + 1))")
}

take_lock
trap tidy EXIT
scratch=$(mktemp --directory)
staged=$TICKETATTR_HOME/releases/.$version
before=$(release_at current)
make_user
pull
stage
verify_units "$staged"
container_works "$staged" || die "the image of $version does not work; nothing was changed"

wait_for_run
if [ ! -e "$release" ]; then
    is_new=yes
    mv --no-target-directory -- "$staged" "$release"
fi
touch -- "$release"
switch_to "$version"
unit_works || take_back
[ -z "$before" ] || [ "$before" = "$version" ] || point previous "$before"
if [ -z "$before" ]; then
    systemctl enable --quiet "$TIMER"
    timer_was_active=yes
fi
prune
say "$version is current: $image"
