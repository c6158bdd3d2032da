"""The process that runs a batch scoring script. Standard library only, Python 3.9 and later."""
