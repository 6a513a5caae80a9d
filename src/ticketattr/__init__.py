"""Attributes IT helpdesk tickets to a service catalog, reports them, and delivers each report once."""

__version__ = "0.2.0"
