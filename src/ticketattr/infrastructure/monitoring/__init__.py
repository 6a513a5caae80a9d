"""How runs are observed: their history, metrics, alerts and the log file."""
