"""Run history, metrics, alerts and the log file."""
