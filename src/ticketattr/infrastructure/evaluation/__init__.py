"""What an evaluation reads and leaves: gold tickets, results."""
