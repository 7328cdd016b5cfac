"""What a recipe will take, before anything is spent: tokens, calls, memory, disk, time and money, stage by stage."""
