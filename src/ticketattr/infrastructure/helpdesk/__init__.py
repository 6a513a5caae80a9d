"""Reads tickets from a helpdesk."""
