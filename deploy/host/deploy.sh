#!/usr/bin/env bash
# deploy.sh VERSION IMAGE@sha256:DIGEST: makes the release that this script came with the current one, as root.
# A release that does not work is taken back, and the one before it goes on.
set -euo pipefail
bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=deploy/host/common.sh
. "$bundle/host/common.sh"

KEPT=5
STATE=/var/lib/ticketattr
SERVICE_ID=10001

[ $# -eq 2 ] || die "usage: deploy.sh VERSION IMAGE@sha256:DIGEST"
version=$1 image=$2
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "this is not a version like 1.2.3-dev: $(printf %q "$version")"
[[ $image =~ ^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$ ]] ||
    die "the image must be pinned (REGISTRY/NAME@sha256:DIGEST), and this is not: $(printf %q "$image")"
[ "$(id -u)" -eq 0 ] || die "this must be run as root"
release=$TICKETATTR_HOME/releases/$version

# The service's user has the number that the image runs as, so both own the same files.
make_user() {
    getent passwd "$SERVICE_ID" >/dev/null ||
        useradd --system --uid "$SERVICE_ID" --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin ticketattr
    install --directory --owner="$SERVICE_ID" --group="$SERVICE_ID" --mode=0750 "$STATE"
}

# By digest, and with credentials that are gone afterwards.
pull() {
    local registry=${image%%/*}
    if [[ $registry == *.dkr.ecr.*.amazonaws.com ]]; then
        aws ecr get-login-password |
            DOCKER_CONFIG=$scratch/docker docker login --username AWS --password-stdin "$registry" >/dev/null 2>&1 ||
            die "the registry $registry refused the instance's role; nothing was changed"
    fi
    DOCKER_CONFIG=$scratch/docker docker pull --quiet "$image" >/dev/null ||
        die "the image could not be pulled; nothing was changed"
}

# A version is one thing for ever: the same one may be deployed again, but not another under its name.
stage() {
    if [ -e "$release" ]; then
        grep --quiet --line-regexp --fixed-strings "IMAGE=$image" "$release/release.env" ||
            die "$version is here already with another image; make a new version"
    fi
    rm -rf -- "$staged"
    install --directory --mode=0755 "$staged/host" "$staged/systemd"
    install --mode=0755 -- "$bundle"/host/*.sh "$staged/host"
    install --mode=0644 -- "$bundle"/systemd/* "$staged/systemd"
    printf 'VERSION=%s\nIMAGE=%s\n' "$version" "$image" >"$staged/release.env"
    chmod 0644 "$staged/release.env"
}

# systemd-analyze exits 0 for keys that it does not know: anything that it says is a refusal. The units name `current`,
# which is another release still, so this reads a copy that names the new one.
verify_units() {
    local units=$scratch/units unit words
    install --directory "$units"
    for unit in "$1/systemd/"*; do
        sed "s|/opt/ticketattr/current/|$1/|g" "$unit" >"$units/${unit##*/}"
    done
    words=$(SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no "$units/$SERVICE" "$units/$TIMER" "$units/$ALERT" 2>&1) || :
    [ -z "$words" ] || die "the units of $version are not sound: $words"
}

# The container alone, as the service's user: nothing is switched yet.
container_works() {
    setpriv --reuid="$SERVICE_ID" --regid="$SERVICE_ID" --groups="$(getent group docker | cut -d: -f3)" \
        env --ignore-environment PATH="$PATH" STATE_DIRECTORY="$STATE" bash "$1/host/container.sh" smoke
}

# What never worked is not kept: nobody shall roll back to it.
take_back() {
    [ "$before" != "$version" ] || die "$version does not work any more; rollback.sh goes back to the release before it"
    if [ -z "$before" ]; then
        rm -f -- "$TICKETATTR_HOME/current"
        rm -rf -- "$release"
        die "$version does not work, and there is no release before it"
    fi
    switch_to "$before"
    [ -z "${is_new:-}" ] || rm -rf -- "$release"
    unit_works || die "$version does not work, and neither does $before, which is current again"
    die "$version does not work; $before is current again and works"
}

# The newest stay, and with them what can be gone back to.
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
