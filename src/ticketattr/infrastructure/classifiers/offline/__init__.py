"""The embedded classifier, which needs neither key nor network (extra `offline`)."""
