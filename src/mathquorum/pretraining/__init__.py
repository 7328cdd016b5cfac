"""How the embedded bases are pre-trained: settings without torch, corpus, tokenizer, optimizer, loop."""
