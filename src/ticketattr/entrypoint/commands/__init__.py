"""The commands, one a file: each reads its settings, calls one use case, and says what came of it.

What a command does not need, it does not import: `--help` and `pending list` stay instant.
"""
