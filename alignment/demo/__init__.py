"""The demo's world: a shop's support desk, its hidden rubric and its simulated annotators."""
