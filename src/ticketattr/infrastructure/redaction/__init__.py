"""What redaction needs from outside: the phone numbers of the world, and the user's own names and patterns."""
