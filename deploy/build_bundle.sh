#!/usr/bin/env bash
# build_bundle.sh VERSION s3://BUCKET/PREFIX: the folder deploy/ of the commit that is checked out, as one tar file that
# is the same from every clone, uploaded under the version's name, which must be free. Prints `bundle=` and
# `bundle_sha256=` for whoever deploys it: what the host checks travels beside the bundle's address, not beside the bundle.
set -euo pipefail

die() {
    printf 'build_bundle.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 2 ] || die "usage: build_bundle.sh VERSION s3://BUCKET/PREFIX"
version=$1 place=$2
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "this is not a version like 1.2.3-dev: $(printf %q "$version")"
[[ $place =~ ^s3://([a-z0-9.-]+)/([a-z0-9/_-]+)$ ]] || die "this is not a place in S3: $(printf %q "$place")"
bucket=${BASH_REMATCH[1]} key=${BASH_REMATCH[2]%/}/ticketattr-$version.tar

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
folder=$(mktemp --directory)
trap 'rm -rf -- "$folder"' EXIT
git archive --format=tar --output="$folder/bundle.tar" HEAD deploy
# S3 itself refuses a name that is taken, so two builds at once cannot both win.
aws s3api put-object --bucket "$bucket" --key "$key" --body "$folder/bundle.tar" --if-none-match '*' >/dev/null ||
    die "s3://$bucket/$key was not uploaded; a bundle is never overwritten: make a new version"
printf 'bundle=s3://%s/%s\n' "$bucket" "$key"
printf 'bundle_sha256=%s\n' "$(sha256sum "$folder/bundle.tar" | cut -d' ' -f1)"
