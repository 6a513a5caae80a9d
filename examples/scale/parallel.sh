#!/bin/sh
# Partitions on the cores of one machine or, with a login file of GNU parallel, of several that share the folders.
#
#   parallel.sh FOLDER_OF_PARTITIONS FOLDER_OF_ANSWERS [OPTIONS OF parallel, such as --sshloginfile hosts --workdir .]
#
# Settings come from the environment or .env: SERVICE_CATALOG_URL, CLASSIFIER=offline. A partition that fails is tried
# three times. Run it again after a failure.
set -eu
partitions=$1 answers=$2
shift 2
mkdir -p "$answers"
find "$partitions" -name 'part-*.jsonl' -print0 | sort -z |
    parallel --null --retries 3 --will-cite "$@" ticketattr --quiet classify -i {} -o "$answers/" >&2
ticketattr merge "$answers" -i "$partitions/part-*.jsonl"
