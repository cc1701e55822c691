"""Labels judged by what is known: how good they are, their margins, themselves as a system."""
