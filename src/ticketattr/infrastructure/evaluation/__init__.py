"""Labelled tickets, and the results of an evaluation."""
