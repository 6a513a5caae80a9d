"""Where tickets and the service catalog come from."""
