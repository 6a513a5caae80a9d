#!/usr/bin/env bash
# Runs a container of the release that this script belongs to, with minimal rights, as the user of the service:
#   container.sh run             the command of the unit; any other command of ticketattr works, too, with its options
#   container.sh smoke           the demo, without a network, in a folder of its own in the state folder
#   container.sh ready           checks whether a run can start with the settings of this host
#   container.sh stop            stops a container that is still running after its unit stopped
set -euo pipefail
release=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
image=$(sed -n 's/^IMAGE=//p' "$release/release.env")
state=${STATE_DIRECTORY:-/var/lib/ticketattr}
runtime=${RUNTIME_DIRECTORY:-/run/ticketattr}
# The image is on this host already, so no credentials are needed.
export DOCKER_CONFIG=${DOCKER_CONFIG:-/nonexistent}
settings=${SETTINGS_FILE:-/etc/ticketattr/ticketattr.env}

options=(
    --rm --init --pull=never
    --user=10001:10001
    --read-only
    '--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=256m'
    --cap-drop=ALL
    --security-opt=no-new-privileges
    --memory=1g --memory-swap=1g --cpus=1 --pids-limit=128
    --ulimit=nofile=1024 --ulimit=core=0
    # This script passes the output on to the journal; the engine keeps no copy.
    --log-driver=none
    "--mount=type=bind,src=$state,dst=/state"
)
# The id of the container is stored, so that `stop` can stop it when the client is gone.
[ -z "${RUNTIME_DIRECTORY:-}" ] || options+=("--cidfile=$runtime/container")

# Deletes the id of an earlier container. Docker does not overwrite it.
forget() {
    [ -z "${RUNTIME_DIRECTORY:-}" ] || rm -f -- "$runtime/container"
}

smoke() {
    local folder=$state/smoke
    rm -rf -- "$folder"
    mkdir -- "$folder"
    options+=(--network=none --workdir=/state/smoke)
    options+=(--env=HELPDESK_API_URL=/opt/ticketattr/examples/tickets.json)
    options+=(--env=SERVICE_CATALOG_URL=/opt/ticketattr/examples/catalog.yaml)
    forget
    docker run "${options[@]}" "$image" --env-file /opt/ticketattr/examples/demo.env run
    forget
    docker run "${options[@]}" "$image" --env-file /opt/ticketattr/examples/demo.env --quiet check
    if ! compgen -G "$folder/demo/output/*.xlsx" >/dev/null || ! compgen -G "$folder/demo/outbox/*.eml" >/dev/null; then
        echo "container.sh: the demo succeeded but wrote no report or no mail" >&2
        return 1
    fi
    rm -rf -- "$folder"
}

ready() {
    local code=0
    (program --quiet check) || code=$?
    [ "$code" -eq 4 ] || return "$code"
    echo "container.sh: a service is not available at the moment; that is not a failure of the release" >&2
}

stop() {
    if [ -s "$runtime/container" ]; then
        docker stop --time 60 "$(<"$runtime/container")" >/dev/null 2>&1 || :
    fi
}

program() {
    local file
    options+=("--network=${CONTAINER_NETWORK:-bridge}")
    if [ -d "$runtime/secrets" ]; then
        options+=("--mount=type=bind,src=$runtime/secrets,dst=/run/secrets,readonly")
        for file in "$runtime/secrets/"*; do
            options+=("--env=${file##*/}_FILE=/run/secrets/${file##*/}")
        done
    fi
    options+=("--mount=type=bind,src=$settings,dst=/etc/ticketattr.env,readonly")
    forget
    exec docker run "${options[@]}" "$image" --env-file /etc/ticketattr.env "$@"
}

case ${1:-} in
'')
    echo "usage: container.sh smoke | ready | stop | COMMAND of ticketattr" >&2
    exit 2
    ;;
smoke | ready | stop) "$1" ;;
*) program "$@" ;;
esac
