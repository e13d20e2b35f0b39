"""fakes: what stands for the world outside our walls? One package for each wall."""
