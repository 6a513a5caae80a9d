#!/bin/sh
# Partitions on the cores of one machine, by xargs: one process for each core, one partition after the other.
#
#   xargs.sh FOLDER_OF_PARTITIONS FOLDER_OF_ANSWERS [PROCESSES]
#
# Settings come from the environment or .env: SERVICE_CATALOG_URL, CLASSIFIER=offline. Run it again after a failure.
set -eu
partitions=$1 answers=$2 processes=${3:-$(nproc)}
mkdir -p "$answers"
find "$partitions" -name 'part-*.jsonl' -print0 | sort -z |
    xargs -0 -n 1 -P "$processes" sh -c 'exec ticketattr --quiet classify -i "$2" -o "$1/" >&2' ticketattr "$answers"
ticketattr merge "$answers" -i "$partitions/part-*.jsonl"
