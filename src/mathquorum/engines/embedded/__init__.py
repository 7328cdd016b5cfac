"""The embedded engine: a transformers model in this process. Its settings load nothing heavy."""
