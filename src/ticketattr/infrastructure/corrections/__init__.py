"""The corrections by people, and the folder into which they put their workbooks."""
