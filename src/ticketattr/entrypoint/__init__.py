"""How we are called.

cli, session, wiring             what every command starts from: options before its name, settings, adapters
streams                          stdin, stdout and stderr, whatever the program was started with
commands                         one file each: reads options and settings, calls one use case, says what came of it
settings                         one section each, and how all of them are read; `names` knows every setting
probes                           what `check` looks at
evaluating, evaluation_view      what `evaluate` measures, with the adapters it needs for that, and how it shows it
outcome                          the last lines of a command, and exit 5
recording                        sees how `run` and `send` end, and has it remembered, published and told
presentation                     how all that is told, on stdout and stderr
"""
