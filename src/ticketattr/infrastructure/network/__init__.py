"""Sessions with services over HTTP: limits, retries, TLS, and the words of a service on their way to the user."""
