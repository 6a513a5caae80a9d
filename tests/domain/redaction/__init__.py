"""Redaction by its rules alone, without the library that knows phone numbers."""
