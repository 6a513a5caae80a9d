"""Reads the service catalog, and keeps a copy of it."""
