"""What a pipeline file may say: text or document → checked `Pipeline`, with every problem at its place."""
