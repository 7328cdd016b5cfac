"""What the embedded bases are pre-trained with: corpus, tokenizer, optimizer."""
