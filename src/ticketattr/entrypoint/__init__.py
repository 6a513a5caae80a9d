"""The command line: options, settings, output, exit codes.

cli               the program: its options, its list of commands, and the place where errors become exit codes
commands          one module for each command: it reads options and settings, calls one use case and prints the result
invocation        what a command starts with: the options of the program, and the settings
settings          one module for each section of settings; `names` knows every setting
wiring            builds the adapters from the settings
partition_job     what `classify` does with many files, here or as a worker elsewhere
probes            the probes of `check`, over settings and adapters
monitoring        records how `run` and `send` ended
results           the last lines that a command prints, and exit code 5
presentation      output on stdout and stderr: logs, progress, tables, summaries
standard_streams  makes stdin, stdout and stderr usable, however the program was started
"""
