"""Tickets in files that other programs exported: CSV, workbooks, JSON and JSON Lines.

columns        which column holds which field of a ticket, by its usual names (columns.yaml) or those of a profile
delimited      CSV, read as a stream
workbook       the rows of a workbook
json_records   the objects of a JSON document, and of JSON Lines, as a stream
records        a file as records, whatever its form, which its content tells
"""
