"""Parses interface texts with the PyPI package varlink and says the name of each. Usage: varlink-parse.py FILE..."""

import sys

import varlink

for path in sys.argv[1:]:
    with open(path) as file:
        interface = varlink.Interface(file.read())
    print(interface.name, len(interface.members))
