"""What the warehouse says, as typed facts for the screens that people look at.

Between the warehouse's views and the dashboard and report, which share every statement, so that
two screens never show two numbers for one question. Reads only; judges and formats nothing.
"""
