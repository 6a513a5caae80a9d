"""What we know: frozen values and pure functions, standard library only."""
