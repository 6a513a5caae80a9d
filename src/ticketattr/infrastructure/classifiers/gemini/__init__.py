"""Google Gemini as a ChatModel: `chat_model.py` is what others build, `wire.py` reads what google-genai returns."""
