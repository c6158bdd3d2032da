"""The names that scoring scripts import from Azure ML's inference server, served by Mooring's own worker."""
