"""What every large language model needs, whoever provides it: prompt, answer, budget, rate limit, prices."""
