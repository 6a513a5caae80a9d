"""How we are called.

    cli, session, wiring     what every command starts from: the options before its name, its settings, the adapters
    streams                  stdin, stdout and stderr, whatever the program was started with
    commands                 one file each: reads its options and settings, calls one use case, says what came of it
    settings                 one section each, and how all of them are read; `names` knows every setting
    probes                   what `check` looks at
    evaluating               what `evaluate` measures, with the adapters it needs for that
    recording                sees how `run` and `send` end, and has it remembered, published and told

What is said, on stdout (results) or stderr (everything else):

    console, log_lines       stderr: progress, log, summaries, errors
    summaries                the sentences of several commands
    outcome                  the last lines of a command, and exit 5
    tables                   a table on stdout; `listing` and `evaluation_view` say what stands in it
"""
