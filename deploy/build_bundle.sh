#!/usr/bin/env bash
# build_bundle.sh VERSION s3://BUCKET/PREFIX: packs the folder deploy/ of the current commit into a tar file, which is
# the same in every clone, and uploads it under the name of the version, which must not exist yet. Prints `bundle=` and
# `bundle_sha256=`. The host receives the SHA-256 together with the address of the bundle, not from the bucket.
set -euo pipefail

die() {
    printf 'build_bundle.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 2 ] || die "usage: build_bundle.sh VERSION s3://BUCKET/PREFIX"
version=$1 place=$2
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "$(printf %q "$version") is not a version like 1.2.3-dev"
[[ $place =~ ^s3://([a-z0-9.-]+)/([a-z0-9/_-]+)$ ]] || die "$(printf %q "$place") is not an S3 address"
bucket=${BASH_REMATCH[1]} key=${BASH_REMATCH[2]%/}/ticketattr-$version.tar

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
folder=$(mktemp --directory)
trap 'rm -rf -- "$folder"' EXIT
git archive --format=tar --output="$folder/bundle.tar" HEAD deploy
# S3 itself refuses a name that exists already, so of two builds at the same time only one succeeds.
aws s3api put-object --bucket "$bucket" --key "$key" --body "$folder/bundle.tar" --if-none-match '*' >/dev/null ||
    die "s3://$bucket/$key was not uploaded; a bundle is never overwritten: create a new version"
printf 'bundle=s3://%s/%s\n' "$bucket" "$key"
printf 'bundle_sha256=%s\n' "$(sha256sum "$folder/bundle.tar" | cut -d' ' -f1)"
