"""How a model is trained: settings without torch, planned steps, and one trainer for every objective."""
