"""Adapters for monitoring: the run history, metrics, alerts and the log file."""
