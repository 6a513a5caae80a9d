#!/usr/bin/env bash
# rollback.sh [VERSION]: makes the previous release, or the given one, the current one again; must run as root.
# Everything it needs is on this host. It uses neither the registry nor the bundle.
set -euo pipefail
# shellcheck source=deploy/host/common.sh
. "$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)/common.sh"

[ $# -le 1 ] || die "usage: rollback.sh [VERSION]"
take_lock
trap tidy EXIT
before=$(release_at current)
version=${1:-$(release_at previous)}
[ -n "$version" ] || die "there is no previous release"
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "$(printf %q "$version") is not a version like 1.2.3-dev"
[ -d "$TICKETATTR_HOME/releases/$version" ] ||
    die "$version is not on this host; available: $(cd -- "$TICKETATTR_HOME/releases" && echo *)"
[ "$version" != "$before" ] || die "$version is already current"

wait_for_run
switch_to "$version"
if ! unit_works; then
    [ -n "$before" ] || die "$version does not work"
    switch_to "$before"
    die "$version does not work; $before is current again"
fi
[ -z "$before" ] || point previous "$before"
say "$version is current again; rollback.sh goes back to $before"
