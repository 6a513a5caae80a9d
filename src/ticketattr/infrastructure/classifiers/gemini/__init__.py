"""Google Gemini: the question, the call and its bounds, the answer. `classifier.py` is what others build."""
