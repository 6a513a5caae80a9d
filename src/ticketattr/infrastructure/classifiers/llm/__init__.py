"""Classifying with a large language model, whoever provides it: prompt, answer, budget, rate limit, prices."""
