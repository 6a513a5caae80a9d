"""Output: results on stdout, everything else on stderr.

console, log_lines         progress, logs, summaries and errors on stderr
summaries                  sentences that several commands print
tables, listing            tables on stdout; lists of reports, corrections and check results
score_tables, score_page   the results of `evaluate`, as tables and as an HTML page
"""
