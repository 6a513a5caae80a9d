"""The chat: commands in, answers out. It calls the use cases, and holds no rule."""
