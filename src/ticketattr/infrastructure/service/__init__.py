"""Adapters of the always-running service: its state, the processes of runs, cron expressions."""
