"""Settings. An option takes precedence over the environment, then come env files, then defaults.

A command reads only the sections that it uses. An empty value counts as not set.
"""
