"""OpenAI and servers that speak its protocol, as a ChatModel.

`chat_model.py` is what others build, `endpoint.py` knows the addresses, `request.py` and `answer.py` the two bodies.
"""
