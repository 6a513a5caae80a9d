"""How reports reach their readers, and the log that proves it."""
