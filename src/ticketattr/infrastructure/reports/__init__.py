"""Writes reports as workbook, CSV and page, and reads the workbook that a person edited."""
