"""What need not be done again, because nothing that it reads has changed."""
