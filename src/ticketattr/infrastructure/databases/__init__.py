"""SQLite and PostgreSQL: what all databases of the program share."""
