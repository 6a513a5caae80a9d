"""Classifiers choose request types: a large language model, the embedded classifier, and combinations of them."""
