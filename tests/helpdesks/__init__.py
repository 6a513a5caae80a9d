"""Real helpdesk servers on loopback, and the same queue in each of them."""
