"""How we are called: commands, settings, wiring."""
