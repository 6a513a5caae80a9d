"""Chat platforms: each receives the messages of people and sends replies."""
