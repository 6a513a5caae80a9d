"""Redaction: what is private in the text of tickets, found and replaced before it leaves the machine.

`found` is the type of a find. `contacts`, `network`, `payment`, `id_numbers`, `keys`, `passwords` and `names` find one
kind each, and `rules` puts them together. `redactor` replaces what they find by placeholders, and puts it back.
"""
