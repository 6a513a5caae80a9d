#!/usr/bin/env bash
# Writes each parameter below SECRETS_PATH to a file in the runtime folder of the unit. This folder is in memory, and
# systemd deletes it when the unit stops. Values are written byte for byte, and never appear in an argument, a log or an
# environment variable.
set -euo pipefail
umask 077

die() {
    printf 'secrets.sh: %s\n' "$1" >&2
    exit 1
}

[ -n "${SECRETS_PATH:-}" ] || die "SECRETS_PATH is not set; set it in /etc/ticketattr/host.env"
[ -n "${RUNTIME_DIRECTORY:-}" ] || die "RUNTIME_DIRECTORY is not set; systemd sets it for the unit"
[ "$(stat --file-system --format=%T -- "$RUNTIME_DIRECTORY")" = tmpfs ] ||
    die "$RUNTIME_DIRECTORY is not in memory; secrets must not be written to a disk"

answer=$(aws ssm get-parameters-by-path --path "$SECRETS_PATH" --with-decryption --output json) ||
    die "the parameters below $SECRETS_PATH could not be read"
# All lines before the first file: a jq that fails may have written some of them.
lines=$(jq --raw-output '.Parameters[] | [(.Name | split("/") | last), (.Value + "\n" | @base64)] | @tsv' <<<"$answer") ||
    die "the answer of AWS about $SECRETS_PATH could not be read"
[ -n "$lines" ] || die "there is no parameter below $SECRETS_PATH"
new=$RUNTIME_DIRECTORY/.secrets
trap 'rm -rf -- "$new"' EXIT
rm -rf -- "$new"
mkdir -- "$new"
# The program ignores one line break at the end of the file. So one is added, because the value may end with one, too.
while IFS=$'\t' read -r name value; do
    [[ $name =~ ^[A-Z][A-Z0-9_]*$ ]] || die "$(printf %q "$name") is not a name of a setting"
    base64 --decode <<<"$value" >"$new/$name" || die "the value of $name could not be written"
done <<<"$lines"
rm -rf -- "$RUNTIME_DIRECTORY/secrets"
mv -- "$new" "$RUNTIME_DIRECTORY/secrets"
