#!/usr/bin/env bash
# check_release.sh TAG BRANCH: checks that the tag names the version of its commit, and that this commit is on that branch
# of `origin`.
set -euo pipefail

die() {
    printf 'check_release.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 2 ] || die "usage: check_release.sh TAG BRANCH"
tag=$1 branch=$2
[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "$(printf %q "$tag") is not a tag like v1.2.3"
commit=$(git rev-parse --verify --quiet "refs/tags/$tag^{commit}") || die "there is no tag $tag"
git merge-base --is-ancestor "$commit" "refs/remotes/origin/$branch" ||
    die "$tag is not on a commit of $(printf %q "$branch"); merge the commit before you release it"
version=$(git show "$commit:src/ticketattr/__init__.py" | sed -n 's/^__version__ = "\(.*\)"$/\1/p')
[ "v$version" = "$tag" ] || die "the version of the package at $tag is $(printf %q "$version")"
changelog=$(git show "$commit:CHANGELOG.md")
grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" <<<"$changelog" ||
    die "CHANGELOG.md at $tag has no heading with a date for $version"
echo "$tag is $commit on $branch"
