#!/usr/bin/env bash
# ssm_deploy.sh VERSION IMAGE@sha256:DIGEST s3://BUNDLE BUNDLE_SHA256 INSTANCE_ID: has the instance deploy that release
# and waits for how it ended. Exits 0 for a release that works on the host and for nothing else.
set -euo pipefail

DOCUMENT=${DOCUMENT:-ticketattr-deploy}
# Longer than the host may take, which waits for a run that is at work.
WAIT_SECONDS=${WAIT_SECONDS:-7500}
POLL_SECONDS=${POLL_SECONDS:-5}

die() {
    printf 'ssm_deploy.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 5 ] || die "usage: ssm_deploy.sh VERSION IMAGE@sha256:DIGEST s3://BUNDLE BUNDLE_SHA256 INSTANCE_ID"
version=$1 image=$2 bundle=$3 sha256=$4 instance=$5
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "this is not a version like 1.2.3-dev: $(printf %q "$version")"
[[ $image =~ ^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$ ]] ||
    die "the image must be pinned (REGISTRY/NAME@sha256:DIGEST), and this is not: $(printf %q "$image")"
[[ $bundle =~ ^s3://[a-z0-9.-]+/[a-z0-9._/-]+\.tar$ ]] || die "this is not a bundle in S3: $(printf %q "$bundle")"
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || die "this is not a SHA-256: $(printf %q "$sha256")"
[[ $instance =~ ^m?i-[0-9a-f]{8,17}$ ]] || die "this is not an instance: $(printf %q "$instance")"

request=$(jq --null-input --compact-output \
    --arg document "$DOCUMENT" --arg instance "$instance" --arg version "$version" --arg image "$image" \
    --arg bundle "$bundle" --arg sha256 "$sha256" '{
        DocumentName: $document, InstanceIds: [$instance], TimeoutSeconds: 600, Comment: "ticketattr \($version)",
        Parameters: {Version: [$version], Image: [$image], Bundle: [$bundle], BundleSha256: [$sha256]}}')
command=$(aws ssm send-command --cli-input-json "$request" --query Command.CommandId --output text)
echo "ssm_deploy.sh: $version is being deployed on $instance (command $command)"

status=Pending
while [[ $status =~ ^(Pending|InProgress|Delayed|Cancelling)$ ]]; do
    [ "$SECONDS" -lt "$WAIT_SECONDS" ] ||
        die "$version is still being deployed after $WAIT_SECONDS s; command $command tells how it ends"
    sleep "$POLL_SECONDS"
    # The command is not known for a moment after it was sent, and one answer may be lost.
    answer=$(aws ssm get-command-invocation --command-id "$command" --instance-id "$instance" --output json) || continue
    status=$(jq --raw-output .Status <<<"$answer")
done
jq --raw-output .StandardOutputContent <<<"$answer"
jq --raw-output .StandardErrorContent <<<"$answer" >&2
[ "$status" = Success ] || die "$version was not deployed: $status"
echo "ssm_deploy.sh: $version runs on $instance"
