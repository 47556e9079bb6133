"""Fakes of the providers' HTTP interfaces, for the contract suite, the chaos suite and a developer's machine.

Plain Python, on localhost only: `manage.py fakeprovider`.
"""
