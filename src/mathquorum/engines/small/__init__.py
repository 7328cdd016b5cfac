"""The engine of small Llamas in NumPy, for one problem: quicker to open than torch."""
