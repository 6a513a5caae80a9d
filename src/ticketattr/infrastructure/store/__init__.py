"""Stores of reports: object stores and folders, by their URL."""
