#!/usr/bin/env bash
# ssm_deploy.sh VERSION IMAGE@sha256:DIGEST s3://BUNDLE BUNDLE_SHA256 INSTANCE_ID: makes the instance deploy that
# release and waits for the result. Exits 0 only if the release works on the host.
set -euo pipefail

DOCUMENT=${DOCUMENT:-ticketattr-deploy}
# Longer than the time limit of the host, which waits for a run in progress.
WAIT_SECONDS=${WAIT_SECONDS:-7500}
POLL_SECONDS=${POLL_SECONDS:-5}

die() {
    printf 'ssm_deploy.sh: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 5 ] || die "usage: ssm_deploy.sh VERSION IMAGE@sha256:DIGEST s3://BUNDLE BUNDLE_SHA256 INSTANCE_ID"
version=$1 image=$2 bundle=$3 sha256=$4 instance=$5
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+-dev$ ]] || die "$(printf %q "$version") is not a version like 1.2.3-dev"
[[ $image =~ ^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$ ]] ||
    die "$(printf %q "$image") is not a pinned image (REGISTRY/NAME@sha256:DIGEST)"
[[ $bundle =~ ^s3://[a-z0-9.-]+/[a-z0-9._/-]+\.tar$ ]] || die "$(printf %q "$bundle") is not a bundle in S3"
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || die "$(printf %q "$sha256") is not a SHA-256"
[[ $instance =~ ^m?i-[0-9a-f]{8,17}$ ]] || die "$(printf %q "$instance") is not an instance id"

request=$(jq --null-input --compact-output \
    --arg document "$DOCUMENT" --arg instance "$instance" --arg version "$version" --arg image "$image" \
    --arg bundle "$bundle" --arg sha256 "$sha256" '{
        DocumentName: $document, InstanceIds: [$instance], TimeoutSeconds: 600, Comment: "ticketattr \($version)",
        Parameters: {Version: [$version], Image: [$image], Bundle: [$bundle], BundleSha256: [$sha256]}}')
command=$(aws ssm send-command --cli-input-json "$request" --query Command.CommandId --output text)
echo "ssm_deploy.sh: deploying $version on $instance (command $command)"

status=Pending
while [[ $status =~ ^(Pending|InProgress|Delayed|Cancelling)$ ]]; do
    [ "$SECONDS" -lt "$WAIT_SECONDS" ] ||
        die "the deployment of $version has not ended after $WAIT_SECONDS s; see command $command"
    sleep "$POLL_SECONDS"
    # Just after a command was sent, it is not known yet. A single response may also get lost.
    answer=$(aws ssm get-command-invocation --command-id "$command" --instance-id "$instance" --output json) || continue
    status=$(jq --raw-output .Status <<<"$answer")
done
jq --raw-output .StandardOutputContent <<<"$answer"
jq --raw-output .StandardErrorContent <<<"$answer" >&2
[ "$status" = Success ] || die "$version was not deployed: $status"
echo "ssm_deploy.sh: $version runs on $instance"
