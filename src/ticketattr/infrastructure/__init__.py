"""What we touch: one module for each thing outside the process."""
