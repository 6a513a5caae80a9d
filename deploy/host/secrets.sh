#!/usr/bin/env bash
# Every parameter below SECRETS_PATH becomes a file of its own in the unit's runtime folder, which is in memory and goes
# when the unit stops. Values stay byte for byte what they are, and in no argument, no log and no environment.
set -euo pipefail
umask 077

die() {
    printf 'secrets.sh: %s\n' "$1" >&2
    exit 1
}

[ -n "${SECRETS_PATH:-}" ] || die "SECRETS_PATH is not set; /etc/ticketattr/host.env is where it belongs"
[ -n "${RUNTIME_DIRECTORY:-}" ] || die "RUNTIME_DIRECTORY is not set; the unit does that"
[ "$(stat --file-system --format=%T -- "$RUNTIME_DIRECTORY")" = tmpfs ] ||
    die "$RUNTIME_DIRECTORY is not in memory; secrets are not written to a disk"

answer=$(aws ssm get-parameters-by-path --path "$SECRETS_PATH" --with-decryption --output json) ||
    die "the parameters below $SECRETS_PATH could not be read"
new=$RUNTIME_DIRECTORY/.secrets
rm -rf -- "$new"
mkdir -- "$new"
# The program ignores one line break at the end of the file, so one is put there: the value itself may end in one.
while IFS=$'\t' read -r name value; do
    [[ $name =~ ^[A-Z][A-Z0-9_]*$ ]] || die "a parameter is named like no setting: $(printf %q "$name")"
    base64 --decode <<<"$value" >"$new/$name"
done < <(jq --raw-output '.Parameters[] | [(.Name | split("/") | last), (.Value + "\n" | @base64)] | @tsv' <<<"$answer")
[ -n "$(ls -- "$new")" ] || die "there is no parameter below $SECRETS_PATH"
rm -rf -- "$RUNTIME_DIRECTORY/secrets"
mv -- "$new" "$RUNTIME_DIRECTORY/secrets"
