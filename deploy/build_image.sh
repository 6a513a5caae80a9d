#!/usr/bin/env bash
# build_image.sh VERSION REGISTRY/NAME: builds the image with its bill of materials and its provenance and pushes it
# under the tag of the version. Prints `image=REGISTRY/NAME@sha256:DIGEST`. Deployments use only the digest.
set -euo pipefail

BUILDKIT=docker.io/moby/buildkit:v0.32.2@sha256:28a898719c18a33f4e8000685287fa36fd0dd9560c6440227d3a732d79bb41d8
SBOM=docker.io/docker/buildkit-syft-scanner:stable-1@sha256:ae4f3b554449e7e25548e7d8ccc029d17357348e30c6e3df01b92bc93654d6a9

die() {
    printf 'build_image.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 2 ] || die "usage: build_image.sh VERSION REGISTRY/NAME"
version=$1 repository=$2
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "$(printf %q "$version") is not a version like 1.2.3-dev"
[[ $repository =~ ^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+$ ]] ||
    die "$(printf %q "$repository") is not an image repository"

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
folder=$(mktemp --directory)
builder=ticketattr-$$
trap 'docker buildx rm "$builder" >/dev/null 2>&1 || :; rm -rf -- "$folder"' EXIT
# The credentials of the registry are deleted when this script ends.
export DOCKER_CONFIG=$folder/docker
if [[ $repository == *.dkr.ecr.*.amazonaws.com/* ]]; then
    aws ecr get-login-password | docker login --username AWS --password-stdin "${repository%%/*}" >&2
fi
docker buildx create --name "$builder" --driver docker-container --driver-opt "image=$BUILDKIT" >&2
docker buildx build --builder "$builder" --file deploy/Dockerfile --platform linux/amd64 \
    --build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD)" \
    --provenance=mode=max --sbom="generator=$SBOM" \
    --tag "$repository:$version" --push --metadata-file "$folder/metadata.json" . >&2
digest=$(jq --exit-status --raw-output '.["containerimage.digest"]' "$folder/metadata.json") ||
    die "the builder did not report a digest"
printf 'image=%s@%s\n' "$repository" "$digest"
