#!/bin/sh
# Partitions as an array of Slurm: each task does the partitions of one folder, and loads the model once.
#
#   for n in $(seq 0 63); do mkdir -p in/$n; done      # and put partitions into in/0 to in/63
#   job=$(sbatch --parsable slurm.sh in out)
#   sbatch --dependency=afterok:$job --wrap "ticketattr merge out -i 'in/*/part-*.jsonl'"
#
#SBATCH --job-name=ticketattr
#SBATCH --array=0-63
#SBATCH --cpus-per-task=1
#SBATCH --mem=600M
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# Settings come from the environment or .env: SERVICE_CATALOG_URL, CLASSIFIER=offline. All nodes share the folders. A task
# that is requeued does what is missing.
set -eu
mkdir -p "$2"
exec ticketattr --quiet classify -i "$1/$SLURM_ARRAY_TASK_ID/part-*.jsonl" -o "$2/"
