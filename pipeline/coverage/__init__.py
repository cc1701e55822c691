"""Labels -> which part of the operational design domain a dataset holds, and what to collect."""
