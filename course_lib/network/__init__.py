"""What every download needs: a pip that ends with the program that started it, and words for what went wrong.

It uses the standard library alone, because `course.py` needs it before anything is installed.
"""
