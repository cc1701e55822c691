"""x"""


def print_rivals():
    pass
