"""The checks of single areas. Each probe is a function over ports that yields results for `application.check`."""
