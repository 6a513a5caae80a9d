"""Who chooses request types: a model, the embedded classifier, and what works through either."""
