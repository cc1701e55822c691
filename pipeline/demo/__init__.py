"""The demo: a generated world with known truth, its encoder and a small real system under test."""
