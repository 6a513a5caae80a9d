"""The commands, one module for each: it reads settings, calls one use case and prints the result.

`loading` imports the module of a command when the command is called.
"""
