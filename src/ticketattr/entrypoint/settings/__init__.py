"""Settings: from the environment, from an env file under it, with defaults; a flag beats all.

Each section is read only by the commands that use it. An empty value counts as not set.
"""
