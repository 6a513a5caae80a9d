#!/usr/bin/env bash
# check_tag.sh TAG BRANCH: checks that the tag is a version, on a commit of that branch of `origin`.
set -euo pipefail

die() {
    printf 'check_tag.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 2 ] || die "usage: check_tag.sh TAG BRANCH"
tag=$1 branch=$2
[[ $tag =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "$(printf %q "$tag") is not a tag like 1.2.3-dev"
commit=$(git rev-parse --verify --quiet "refs/tags/$tag^{commit}") || die "there is no tag $tag"
git merge-base --is-ancestor "$commit" "refs/remotes/origin/$branch" ||
    die "$tag is not on a commit of $(printf %q "$branch"); only merged commits are deployed"
echo "$tag is $commit on $branch"
