"""Google Gemini as a ChatModel: `chat_model.py` is what others build, `wire.py` writes and reads Gemini's JSON."""
