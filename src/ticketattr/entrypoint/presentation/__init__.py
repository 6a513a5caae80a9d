"""What a person or a program is told, on stdout (results) or stderr (everything else), whoever tells it.

console, log_lines   stderr: progress, log, summaries, errors
summaries            the sentences of several commands
tables               a table on stdout; `listing` says what stands in those of reports, corrections and findings
"""
