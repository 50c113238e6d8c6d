"""What staff do with an edition: pull, compose, look, arrange, approve. The use cases; the rules are in the rooms."""
