# Frozen into firmware B only, so that B's qstrs are not A's.


def only_in_b():
    return "B"


def another_function_of_firmware_b(first_argument, second_argument):
    return (first_argument, second_argument)
