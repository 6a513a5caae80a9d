"""The folder of reports, the report log, and the ways to send mail."""
